using Vgpu.Fuzz.Targets;

namespace Vgpu.Fuzz;

/// <summary>All targets by name.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<string> Names { get; } = ["session", "virtio-gpu", "bochs", "feed", "rfb", "websocket"];

    public static IFuzzTarget Make(string name) => name switch
    {
        "session" => new SessionTarget(),
        "virtio-gpu" => new GpuTarget(),
        "bochs" => new BochsTarget(),
        "feed" => new FeedTarget(),
        "rfb" => new RfbTarget(),
        "websocket" => new WebSocketTarget(),
        _ => throw new ArgumentException($"no target is called {name}", nameof(name)),
    };
}
