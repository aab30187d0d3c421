// The seam between the bus, which knows instances, and the processes that serve them.
using Vgpu.Screens;

namespace Vgpu.Bus;

/// <summary>
/// Runs instances, a worker process each. Members may be called on any thread, for different instances at once; those of
/// one instance by one caller at a time. All throw <see cref="BusException"/>.
/// </summary>
public interface IWorkerHost : IDisposable
{
    /// <summary>
    /// Something happened in a worker. Raised on the host's own threads, in the order of one worker, with no lock held; the bus
    /// calls <see cref="Status"/> from it and nothing else.
    /// </summary>
    event Action<WorkerEvent>? Reported;

    /// <summary>
    /// Workers of an earlier daemon that still serve, found once at the start and taken over as they are. Waits for those
    /// that <paramref name="expected"/> names for at most <paramref name="timeout"/>; a worker that nobody expects is ended.
    /// </summary>
    IReadOnlySet<Guid> Adopt(IReadOnlyCollection<Guid> expected, TimeSpan timeout);

    /// <summary>Makes the sockets and a worker behind them; it accepts clients when this returns. Where it throws, nothing is left of either.</summary>
    void Start(InstanceDefinition definition);

    /// <summary>
    /// Changes a running instance: at once where the worker can (memory limit, mode, share of the GPU, frame limit), else by making the device anew, which is
    /// Busy while a client is attached.
    /// </summary>
    void Configure(InstanceDefinition definition);

    /// <summary>Replaces the worker by a process of the program as it is on disk now; a client notices nothing.</summary>
    void Upgrade(Guid uuid);

    /// <summary>Ends the worker and its client's connection, and removes its sockets. Does nothing where it does not run.</summary>
    void Stop(Guid uuid);

    /// <summary>What the worker said last; null where none runs, and from before <see cref="WorkerEventKind.Failed"/> is reported on. Never refused, asks nobody.</summary>
    WorkerStatus? Status(Guid uuid);

    /// <summary>Where the sockets of an instance are while it runs: names only, never refused.</summary>
    InstancePaths Paths(Guid uuid);
}

/// <summary>Absolute paths.</summary>
/// <param name="Folder">The instance's own folder.</param>
/// <param name="Socket">The vfio-user socket for the VMM.</param>
/// <param name="Screen">The screen's socket for viewers.</param>
public sealed record InstancePaths(string Folder, string Socket, string Screen);

/// <summary>A worker as it was when it last reported, with what is counted of it until now.</summary>
public sealed record WorkerStatus
{
    public required int Pid { get; init; }

    /// <summary>The VMM's process; null: no client.</summary>
    public int? ClientPid { get; init; }

    /// <summary>Bytes of video memory that the guest uses.</summary>
    public ulong MemoryUsed { get; init; }

    /// <summary>Bytes that it may use.</summary>
    public ulong MemoryLimit { get; init; }

    /// <summary>What each head shows, in order; null: nothing.</summary>
    public IReadOnlyList<DisplayMode?> Modes { get; init; } = [];

    /// <summary>vfio-user messages of all clients so far.</summary>
    public long Requests { get; init; }

    /// <summary>Workers that took over after another's death or for an upgrade, since the instance was started.</summary>
    public int Successions { get; init; }

    /// <summary>
    /// Nanoseconds that the worker's process has run on the host's processors, as the kernel counts them; begins anew with each
    /// worker, and one that waited for work has some already. Null: the process has ended.
    /// </summary>
    public ulong? CpuNanoseconds { get; init; }

    /// <summary>
    /// Frames that the guest has shown since the instance was started, of all heads together. Of a type whose guest announces none
    /// (bochs): pictures in which something had changed, while somebody looked. Null: the worker is of a program that counts none.
    /// </summary>
    public ulong? Frames { get; init; }

    /// <summary>Bytes of pixels that were copied for viewers since the instance was started; null as <see cref="Frames"/>.</summary>
    public ulong? ViewedBytes { get; init; }

    /// <summary>
    /// Nanoseconds of the parent's GPU that the vGPU has had since the instance was started, measured from submission to fence; where
    /// several had work in flight, each has a part. Null: the guest does not render on the host.
    /// </summary>
    public ulong? GpuNanoseconds { get; init; }

    /// <summary>Nanoseconds for which it had work and others had the turn; null as <see cref="GpuNanoseconds"/>.</summary>
    public ulong? ThrottledNanoseconds { get; init; }
}

/// <summary>What kinds of events a worker reports; the names on the API are these in lower case with hyphens.</summary>
public enum WorkerEventKind
{
    ClientAttached,
    ClientGone,
    ModeSet,
    Reset,

    /// <summary>The guest or the client broke a rule, or a worker died and another took over.</summary>
    Fault,
    QuotaRefused,

    /// <summary>Something in the worker's process does not come back, such as a renderer: it asks for a successor in its place.</summary>
    Hung,

    /// <summary>The worker can't be brought back; the instance is failed.</summary>
    Failed,
}

/// <summary>One event of one instance. <paramref name="Detail"/> is one line for the operator.</summary>
public sealed record WorkerEvent(Guid Uuid, WorkerEventKind Kind, string Detail);
