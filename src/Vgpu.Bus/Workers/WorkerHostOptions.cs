namespace Vgpu.Bus.Workers;

/// <summary>How worker processes are started and watched.</summary>
public sealed record WorkerHostOptions
{
    /// <summary>The daemon's run folder; the workers' own socket and the instances' folders are made in it.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The program of a worker and its first arguments; the socket's path is added.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Whether guests of a type render on their parent's GPU, by the type's name: they have shares of it. Any thread.</summary>
    public Func<string, bool> Renders { get; init; } = _ => false;

    /// <summary>Workers that are kept ready for the next instance, or for one whose worker dies.</summary>
    public int Spares { get; init; } = 2;

    /// <summary>How long a new worker may take until it serves.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client's request may lie unread before its worker counts as dead. A VMM waits for five seconds.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Where workers connect.</summary>
    internal string WorkersSocket => Path.Combine(RunFolder, "workers.sock");
}
