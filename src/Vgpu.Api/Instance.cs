using System.Text.Json;
using System.Text.Json.Serialization;
using Vgpu.Bus;

namespace Vgpu.Api;

/// <summary>An instance at one moment, as the API shows it.</summary>
public sealed record Instance
{
    public required string Name { get; init; }

    public required Guid Uuid { get; init; }

    public required string Parent { get; init; }

    public required string Type { get; init; }

    [JsonConverter(typeof(StateConverter))]
    public required InstanceState State { get; init; }

    /// <summary>Why it failed or was set aside; null otherwise.</summary>
    public string? Problem { get; init; }

    /// <summary>Started by the daemon when it starts.</summary>
    public bool Auto { get; init; }

    /// <summary>Kept when it is stopped.</summary>
    public bool Persistent { get; init; }

    /// <summary>Null: the daemon's own user.</summary>
    public InstanceOwner? Owner { get; init; }

    /// <summary>Instances that are started before it.</summary>
    public IReadOnlyList<string>? After { get; init; }

    /// <summary>What differs from the type.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }

    /// <summary>Bytes.</summary>
    public ulong MemoryLimit { get; init; }

    /// <summary>Null where it does not run.</summary>
    public InstancePaths? Paths { get; init; }

    /// <summary>Null where it does not run.</summary>
    public WorkerStatus? Worker { get; init; }

    /// <summary>What the bus says of it.</summary>
    public static Instance Of(InstanceView view) => new()
    {
        Name = view.Definition.Name,
        Uuid = view.Definition.Uuid,
        Parent = view.Definition.Parent,
        Type = view.Definition.Type,
        State = view.State,
        Problem = view.Problem,
        Auto = view.Definition.Auto,
        Persistent = view.Definition.Persistent,
        Owner = view.Definition.Owner,
        After = view.Definition.After,
        Settings = view.Definition.Settings,
        MemoryLimit = view.MemoryLimit,
        Paths = view.Paths,
        Worker = view.Worker,
    };

    internal sealed class StateConverter() : JsonStringEnumConverter<InstanceState>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);
}
