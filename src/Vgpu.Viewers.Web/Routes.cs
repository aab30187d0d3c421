using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vgpu.Screens;
using Vgpu.Viewers.Png;

namespace Vgpu.Viewers.Web;

/// <summary>Everything that can be asked for: the page's files by anybody, the rest with a token.</summary>
internal sealed class Routes(IConsoleVgpus vgpus, Assets assets, Door door, Thumbnails thumbnails, ChangeSignal changes, Sessions sessions, CancellationToken end)
{
    // Well within what proxies and browsers let a request wait.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(20);

    internal void Map(IEndpointRouteBuilder to)
    {
        On("GET", "/api/session", (context, role) => Answers.Json(context, new SessionBody(role == Role.Full, assets.NoVncFolder), ConsoleJson.Default.SessionBody));
        On("GET", "/api/vgpus", (context, _) => List(context));
        On("GET", "/api/vgpus/{uuid:guid}/thumbnail", (context, _) => SendThumbnail(context));
        On("GET", "/api/vgpus/{uuid:guid}/picture.png", (context, _) => SendPicture(context));
        On("GET", "/api/vgpus/{uuid:guid}/console", (context, role) => sessions.Serve(context, Uuid(context), role));
        _ = to.MapMethods("/api/session", ["POST"], SignIn);
        _ = to.MapMethods("/api/session", ["DELETE"], SignOut);
        _ = to.MapMethods("/{**path}", ["GET", "HEAD"], File);

        void On(string method, string path, Func<HttpContext, Role, Task> answer) => to.MapMethods(path, [method], async context =>
        {
            if (await door.Admit(context) is Role role)
            {
                await answer(context, role);
            }
        });
    }

    private async Task SignIn(HttpContext context)
    {
        TokenBody? body;
        try
        {
            body = await JsonSerializer.DeserializeAsync(context.Request.Body, ConsoleJson.Default.TokenBody, context.RequestAborted);
        }
        catch (JsonException)
        {
            body = null;
        }

        if (body?.Token is not string token)
        {
            await Answers.Problem(context, StatusCodes.Status400BadRequest, "the body is {\"token\": \"…\"}");
        }
        else if (await door.Show(context, token) is Role role)
        {
            door.GiveTicket(context, role);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static Task SignOut(HttpContext context)
    {
        Door.TakeTicket(context);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private Task File(HttpContext context)
    {
        if (context.Request.Query[Door.TokenKey] is [string token] && assets.Has(context.Request.Path))
        {
            ExchangeToken(context, token);
            return Task.CompletedTask;
        }

        return assets.Answer(context) ?? Answers.Problem(context, StatusCodes.Status404NotFound, "there is no such page; / lists the vGPUs");
    }

    // The token leaves the address bar before anything is shown.
    private void ExchangeToken(HttpContext context, string token)
    {
        Role? role = door.Try(context, token).Role;
        if (role is not null)
        {
            door.GiveTicket(context, role.Value);
        }

        string name = context.Request.Query["vgpu"] is [string vgpu] ? "?vgpu=" + Uri.EscapeDataString(vgpu) : string.Empty;
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = context.Request.Path + name + (role is null ? "#refused" : "#");
    }

    private async Task List(HttpContext context)
    {
        string? known = context.Request.Query["after"];
        Task changed = changes.Next;
        (byte[] body, string etag) = Render();
        if (etag == known)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end);
            either.CancelAfter(s_longest);
            _ = await Task.WhenAny(changed, Task.Delay(Timeout.Infinite, either.Token));
            context.RequestAborted.ThrowIfCancellationRequested();
            (body, _) = Render();
        }

        await Answers.Bytes(context, body, "application/json");
    }

    private (byte[] Body, string ETag) Render()
    {
        IReadOnlyList<VgpuBody> all = [.. vgpus.List().Select(Body)];
        byte[] digest = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new ListBody(string.Empty, all), ConsoleJson.Default.ListBody));
        string etag = Convert.ToHexStringLower(digest)[..16];
        return (JsonSerializer.SerializeToUtf8Bytes(new ListBody(etag, all), ConsoleJson.Default.ListBody), etag);
    }

    private static VgpuBody Body(ConsoleVgpu vgpu) => new(
        vgpu.Uuid, vgpu.Name, vgpu.Type, JsonNamingPolicy.SnakeCaseLower.ConvertName(vgpu.State.ToString()), vgpu.Problem, vgpu.MemoryUsed, vgpu.MemoryLimit,
        [.. vgpu.Modes.Select(mode => string.Create(CultureInfo.InvariantCulture, $"{mode.Width}x{mode.Height}"))]);

    private async Task SendThumbnail(HttpContext context)
    {
        Thumbnails.Kept? kept = await thumbnails.Get(Uuid(context), context.RequestAborted);
        if (kept is null)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        context.Response.Headers.ETag = kept.ETag;
        if (context.Request.Headers.IfNoneMatch.Contains(kept.ETag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await Answers.Bytes(context, kept.Png, "image/png");
    }

    private async Task SendPicture(HttpContext context)
    {
        Guid uuid = Uuid(context);
        ConsoleVgpu? vgpu = vgpus.List().FirstOrDefault(each => each.Uuid == uuid);
        byte[]? png = vgpu is null ? null : await sessions.InTurn(() => Encode(vgpus.Glance(uuid, known: null)?.Picture), context.RequestAborted);
        if (png is null)
        {
            await Answers.Problem(context, StatusCodes.Status404NotFound, vgpu is null ? "there is no such vGPU" : $"{vgpu.Name} shows nothing now");
            return;
        }

        // A name is what an operator gave: only letters that mean nothing in a header or a path are kept.
        string name = string.Concat(vgpu!.Name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '-'));
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.png\"";
        await Answers.Bytes(context, png, "image/png");
    }

    private static byte[]? Encode(Picture? picture)
    {
        if (picture is null)
        {
            return null;
        }

        using var file = new MemoryStream();
        PngFile.Write(file, picture);
        return file.ToArray();
    }

    private static Guid Uuid(HttpContext context) => Guid.Parse((string)context.Request.RouteValues["uuid"]!, CultureInfo.InvariantCulture);
}
