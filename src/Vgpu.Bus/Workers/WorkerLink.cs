using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>What the daemon knows of one worker process. Supervisor's thread only.</summary>
internal sealed class WorkerLink(WorkerChannel channel, PidFd process) : IDisposable
{
    internal WorkerChannel Channel { get; } = channel;

    internal PidFd Process { get; } = process;

    /// <summary>It has said who it is.</summary>
    internal bool IsKnown { get; set; }

    /// <summary>It has run through what it will do, and takes over fast.</summary>
    internal bool IsWarm { get; set; }

    /// <summary>The instance that it tells of itself: it served under an earlier daemon.</summary>
    internal InstanceRecord? Told { get; set; }

    /// <summary>How that is doing.</summary>
    internal WorkerStatus? ToldStatus { get; set; }

    /// <summary>And has told all of it.</summary>
    internal bool HasToldAll { get; set; }

    /// <summary>It has told all, and nobody has looked yet whether its instance is expected: what more it says waits in its socket.</summary>
    internal bool AwaitsAdoption => HasToldAll && Told is not null;

    /// <summary>The instance that it serves or is about to serve; null: it waits for one.</summary>
    internal ServedInstance? Instance { get; set; }

    /// <summary>
    /// Since when its channel has been closed, by <see cref="Environment.TickCount64"/>; null: it is open. Either it has ended,
    /// as its process says then, or it found this daemon not reading for long, and comes back by another channel.
    /// </summary>
    internal long? LeftAt { get; set; }

    /// <summary>It has been told to end, or killed; only its end is waited for.</summary>
    internal bool IsEnding { get; set; }

    /// <summary>Its process's end is the next that will be heard of it.</summary>
    internal bool IsSilent => IsEnding || LeftAt is not null;

    public void Dispose()
    {
        Told?.Dispose();
        Channel.Dispose();
        Process.Dispose();
    }
}
