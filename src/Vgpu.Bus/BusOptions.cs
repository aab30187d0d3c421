namespace Vgpu.Bus;

/// <summary>Where the bus keeps what it knows. Absolute paths.</summary>
public sealed record BusOptions
{
    /// <summary>Outlives a reboot: <c>mdevctl.d</c>, the definitions, usable as /etc/mdevctl.d, and <c>set-aside</c>. For example <c>/var/lib/vgpu</c>.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Emptied by a reboot: <c>instances/UUID.json</c>, what runs. For example <c>/run/vgpu</c>.</summary>
    public required string RunFolder { get; init; }

    /// <summary>How long the start waits for workers of an earlier daemon.</summary>
    public TimeSpan AdoptTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
