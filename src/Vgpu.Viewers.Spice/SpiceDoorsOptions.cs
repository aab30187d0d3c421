namespace Vgpu.Viewers.Spice;

/// <summary>How processes that serve SPICE are started, and how many may be there.</summary>
public sealed record SpiceDoorsOptions
{
    /// <summary>The program and its first words; what <see cref="SpiceProgramOptions.TryParse"/> takes comes behind them.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Screens that are shown at the same time. 1 or more.</summary>
    public int MostProcesses { get; init; } = 16;

    /// <summary>How long a process stays to which nobody is connected.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Private memory of one, in bytes (RLIMIT_DATA): it ends where it wants more.</summary>
    public long MostMemory { get; init; } = 1L << 30;
}
