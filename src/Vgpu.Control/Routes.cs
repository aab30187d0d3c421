using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Control;

/// <summary>One thing that can be asked for.</summary>
internal sealed record Route(string Method, string Path, RequestDelegate Answer);

/// <summary>Everything that can be asked for, as the bus answers it; <c>openapi.json</c> says the same.</summary>
internal sealed class Routes(IBus bus, Func<Guid, ViewerAddresses?> viewers, CancellationToken end)
{
    private static readonly byte[] s_document = Document();

    internal IReadOnlyList<Route> All =>
    [
        new("GET", "/v1/types", context => Answers.Json(context, bus.Parents(), ApiJson.Parents)),
        new("GET", "/v1/instances", List),
        new("POST", "/v1/instances", Create),
        new("GET", "/v1/instances/{name}", context => Show(context, Visible(context))),
        new("GET", "/v1/instances/{name}/viewers", Viewers),
        new("PATCH", "/v1/instances/{name}", Change),
        new("DELETE", "/v1/instances/{name}", context => Done(context, () => bus.Remove(Name(context), Flag(context, "force")))),
        new("POST", "/v1/instances/{name}/start", context => Show(context, bus.Start(Name(context)))),
        new("POST", "/v1/instances/{name}/stop", context => Done(context, () => bus.Stop(Name(context)))),
        new("POST", "/v1/instances/{name}/upgrade", context => Show(context, bus.Upgrade(Name(context)))),
        new("GET", "/v1/events", Events),
        new("GET", "/v1/openapi.json", OpenApi),
        new("GET", "/metrics", Metrics),
    ];

    private Task List(HttpContext context)
    {
        Caller caller = Of(context);
        IReadOnlyList<Instance> seen = [.. bus.Instances().Where(caller.Sees).Select(Instance.Of)];
        return Answers.Json(context, seen, ApiJson.Instances);
    }

    private Task Viewers(HttpContext context)
    {
        InstanceView instance = Visible(context);
        ViewerAddresses found = viewers(instance.Definition.Uuid)
            ?? throw new BusException(BusError.NotFound, $"nobody shows {instance.Definition.Name}; it must run, and the daemon must not have been started with --no-viewers");
        return Answers.Json(context, Of(context).SeesAll ? found : found with { Web = null, WebViewOnly = null }, ApiJson.Viewers);
    }

    private async Task Create(HttpContext context)
    {
        CreateRequest request = (await Read(context, ApiJson.Create)).ToRequest();
        InstanceView made = bus.Create(request with { Owner = Of(context).OwnerOf(request) });
        context.Response.Headers.Location = $"/v1/instances/{made.Definition.Uuid}";
        await Show(context, made, StatusCodes.Status201Created);
    }

    private async Task Change(HttpContext context)
    {
        Dictionary<string, JsonElement> body = await Read(context, ApiJson.Settings);
        var settings = body.ToDictionary(setting => setting.Key, setting => SettingValue.Text(setting.Key, setting.Value), StringComparer.Ordinal);
        Of(context).MayChange(settings);
        await Show(context, bus.Set(Name(context), settings));
    }

    private Task Events(HttpContext context)
    {
        if (!Of(context).SeesAll)
        {
            throw Forbidden("events");
        }

        long? after = After(context);
        return Flag(context, "follow")
            ? EventStream.Follow(context, bus, after, end)
            : Answers.Json(context, bus.Events(after ?? 0), ApiJson.Events);
    }

    private Task Metrics(HttpContext context)
    {
        if (!Of(context).SeesAll)
        {
            throw Forbidden("metrics");
        }

        context.Response.ContentType = MetricsText.MediaType;
        return context.Response.WriteAsync(MetricsText.Of(bus.Parents(), bus.Instances()), context.RequestAborted);
    }

    private static Task OpenApi(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.Body.WriteAsync(s_document, context.RequestAborted).AsTask();
    }

    // One that the caller may not see is answered like one that is not there.
    private InstanceView Visible(HttpContext context)
    {
        string name = Name(context);
        Caller caller = Of(context);
        if (caller.SeesAll)
        {
            return bus.Find(name);
        }

        return bus.Instances().FirstOrDefault(instance => caller.Sees(instance) && (instance.Definition.Name == name || instance.Definition.Uuid.ToString() == name))
            ?? throw new BusException(BusError.NotFound, $"you have no instance '{name}'; 'vgpu list' shows those you have");
    }

    private static Task Show(HttpContext context, InstanceView instance, int status = StatusCodes.Status200OK) =>
        Answers.Json(context, Instance.Of(instance), ApiJson.Instance, status);

    private static Task Done(HttpContext context, Action action)
    {
        action();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task<T> Read<T>(HttpContext context, JsonTypeInfo<T> form) =>
        await JsonSerializer.DeserializeAsync(context.Request.Body, form, context.RequestAborted) ?? throw new JsonException("it is null");

    private static Caller Of(HttpContext context) => context.Features.GetRequiredFeature<Caller>();

    private static string Name(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    private static bool Flag(HttpContext context, string name) => context.Request.Query[name] switch
    {
        [] or ["false"] => false,
        ["true"] => true,
        _ => throw new BusException(BusError.Invalid, $"'{name}' is true or false"),
    };

    private static long? After(HttpContext context) => context.Request.Query["after"] switch
    {
        [] => null,
        [string text] when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) => number,
        _ => throw new BusException(BusError.Invalid, "'after' is the number of an event, 0 or more"),
    };

    private static BusException Forbidden(string what) => new(BusError.Forbidden, $"{what} are for root and members of the group vgpu");

    private static byte[] Document()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("openapi.json")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
