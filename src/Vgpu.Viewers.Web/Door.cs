using System.Globalization;
using System.Net;
using System.Numerics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Vgpu.Viewers.Web;

/// <summary>
/// Who asks: by a bearer token, or by the cookie that a token was exchanged for. Tokens are never logged.
/// </summary>
internal sealed partial class Door(Tokens tokens, GuessGate gate, ILogger log)
{
    /// <summary>The key of a token in an address that somebody opens.</summary>
    internal const string TokenKey = "token";

    private const string Bearer = "Bearer ";

    /// <summary>What the caller may do; null where it was refused, with the answer already given.</summary>
    internal async Task<Role?> Admit(HttpContext context)
    {
        if (context.Request.Headers.Authorization is [string header] && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return await Show(context, header[Bearer.Length..]);
        }

        Role? role = TicketOf(context.Request);
        if (role is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Answers.Problem(context, StatusCodes.Status401Unauthorized, "sign in with the console's token, or give it as Authorization: Bearer TOKEN");
        }

        return role;
    }

    /// <summary>The same for a token that was typed or came in a body.</summary>
    internal async Task<Role?> Show(HttpContext context, string token)
    {
        (Role? role, TimeSpan wait) = Try(context, token);
        if (wait > TimeSpan.Zero)
        {
            int seconds = (int)Math.Ceiling(wait.TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await Answers.Problem(context, StatusCodes.Status429TooManyRequests, $"too many wrong tokens; try again in {seconds} s");
        }
        else if (role is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Answers.Problem(context, StatusCodes.Status401Unauthorized, "that token is not this console's");
        }

        return role;
    }

    /// <summary>Looks at a token; where the address has to wait, it does not.</summary>
    internal (Role? Role, TimeSpan Wait) Try(HttpContext context, string token)
    {
        IPAddress address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        TimeSpan wait = gate.Wait(address);
        if (wait > TimeSpan.Zero)
        {
            return (null, wait);
        }

        Role? role = tokens.RoleOf(token);
        if (role is not null)
        {
            gate.Forget(address);
            return (role, TimeSpan.Zero);
        }

        int mistakes = gate.Mistake(address);
        if (BitOperations.IsPow2(mistakes))
        {
            LogWrong(log, address, mistakes);
        }

        return (null, TimeSpan.Zero);
    }

    internal void GiveTicket(HttpContext context, Role role) =>
        context.Response.Cookies.Append(CookieName(context.Request), tokens.Ticket(role), Cookie(context.Request, Tokens.Lifetime));

    internal static void TakeTicket(HttpContext context) =>
        context.Response.Cookies.Append(CookieName(context.Request), string.Empty, Cookie(context.Request, TimeSpan.Zero));

    private Role? TicketOf(HttpRequest request) =>
        request.Cookies.TryGetValue(CookieName(request), out string? ticket) ? tokens.RoleOfTicket(ticket) : null;

    private static CookieOptions Cookie(HttpRequest request, TimeSpan lifetime) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = request.IsHttps, Path = "/", MaxAge = lifetime };

    // Browsers share cookies among the ports of a host: two consoles must not take each other's.
    private static string CookieName(HttpRequest request)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"vgpu-{request.HttpContext.Connection.LocalPort}");
        return request.IsHttps ? "__Host-" + name : name;
    }

    [LoggerMessage(LogLevel.Warning, "{Address} has shown {Count} wrong token(s)")]
    private static partial void LogWrong(ILogger log, IPAddress address, int count);
}
