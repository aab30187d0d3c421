namespace Vgpu.Viewers.Spice;

/// <summary>One screen behind a <see cref="SpiceDoor"/>.</summary>
public sealed record SpiceDoorOptions
{
    /// <summary>What clients show as the title, and lines of the log name.</summary>
    public required string Name { get; init; }

    /// <summary>The path of the screen's feed.</summary>
    public required string Feed { get; init; }

    /// <summary>The ticket of those who come by TCP, 1 to 60 bytes of UTF-8.</summary>
    public required string Password { get; init; }

    /// <summary>User and group that the process runs as, where this one is root's; they must reach the feed. Null: this one's.</summary>
    public (uint Uid, uint Gid)? RunAs { get; init; }

    /// <summary>Whether every picture is exact.</summary>
    public bool IsLossless { get; init; }
}
