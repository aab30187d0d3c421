namespace Vgpu.Bus;

/// <summary>
/// What the operator wants of one vGPU; immutable. On disk it is mdevctl's JSON at <c>PARENT/UUID</c>: <c>mdev_type</c>,
/// <c>start</c>, <c>attrs</c>.
/// </summary>
public sealed record InstanceDefinition
{
    /// <summary>Its identity for ever.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>What the operator calls it: 1 to 64 of letters, digits, '-', '_' and '.', not beginning with '.' or '-'; unique, and no UUID.</summary>
    public required string Name { get; init; }

    /// <summary>The parent's name, for example <c>software0</c>.</summary>
    public required string Parent { get; init; }

    /// <summary>The type's name, for example <c>virtio-gpu-256m</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Started by the daemon when it starts.</summary>
    public bool Auto { get; init; }

    /// <summary>Kept on disk when it is stopped; a transient one ends with its stop.</summary>
    public bool Persistent { get; init; } = true;

    /// <summary>Who owns its socket; the daemon's own user where null.</summary>
    public InstanceOwner? Owner { get; init; }

    /// <summary>Names or UUIDs of instances that are started before it, where both are started by the daemon.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>
    /// Settings that the operator chose, by the names of the tree's attributes: <c>memory_limit</c> (bytes), <c>mode</c>
    /// (<c>1920x1080</c>), <c>heads</c>, <c>interrupts</c> (<c>intx</c>, <c>msix</c>), <c>guest_blobs</c> (<c>on</c>,
    /// <c>off</c>), <c>qmp</c> (a socket's path). In the order of their names.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>The user and group that an instance's sockets belong to, by number.</summary>
public readonly record struct InstanceOwner(uint Uid, uint Gid);
