// What a worker's process composes: a device served at the listeners that it is given.
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

/// <summary>Everything that a worker was told to serve.</summary>
public sealed class ServeRequest
{
    /// <summary>The memory file of the connection's journal.</summary>
    public const string JournalFile = "journal";

    /// <summary>The memory file of the device's checkpoint.</summary>
    public const string CheckpointFile = "checkpoint";

    /// <summary>The memory file of the table by which the parent's vGPUs take turns.</summary>
    internal const string SharesFile = "shares";

    /// <summary>What to serve.</summary>
    public required InstanceDefinition Definition { get; init; }

    public required ServeMode Mode { get; init; }

    /// <summary>The largest quota in bytes that was set since the instance was started; 0: none but the type's own.</summary>
    public ulong PeakMemory { get; init; }

    /// <summary>By their numbers: <see cref="InstanceFunctions.Names"/>.</summary>
    public required IReadOnlyList<FunctionRequest> Functions { get; init; }

    /// <summary>Where viewers connect; a duplicate that the served vGPU owns.</summary>
    public required FileDescriptor ScreenListener { get; init; }

    /// <summary>Memory files that outlive this process.</summary>
    public required Vfio.IMemoryFiles Files { get; init; }

    /// <summary>
    /// A file that outlives this process, by name: the one that there is, if it suits, else the one that is made. The caller
    /// disposes what it gets.
    /// </summary>
    public required Func<string, Func<FileDescriptor, bool>, Func<FileDescriptor>, FileDescriptor> Keep { get; init; }

    /// <summary>The vGPU's whole state as its predecessor saved it, for <see cref="ServeMode.Load"/>; stays the caller's.</summary>
    public FileDescriptor? State { get; init; }

    /// <summary>The <see cref="Gpus.Shares.ShareTable"/> of the parent, in which the instance has a place; null: it does not render. Stays the caller's.</summary>
    public FileDescriptor? Shares { get; init; }

    /// <summary>Tells the daemon of something; any thread, does not block.</summary>
    public required Action<WorkerEventKind, string> Report { get; init; }
}

/// <summary>One PCI function to serve.</summary>
public sealed class FunctionRequest
{
    /// <summary>See <see cref="InstanceFunctions.Names"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Where the VMM connects; a duplicate that the served vGPU owns.</summary>
    public required FileDescriptor Listener { get; init; }

    /// <summary>To be told of everything of its client.</summary>
    public required IConnectionKeeper Keeper { get; init; }

    /// <summary>The client to go on with, which stays the caller's; null: none.</summary>
    public KeptClient? Client { get; init; }

    /// <summary>The name of its connection's journal, for <see cref="ServeRequest.Keep"/>.</summary>
    public required string JournalFile { get; init; }

    /// <summary>The name of its device's checkpoint, for <see cref="ServeRequest.Keep"/>.</summary>
    public required string CheckpointFile { get; init; }
}

/// <summary>A vGPU that a worker serves. Members are for the worker's main thread.</summary>
public interface IServedVgpu : IDisposable
{
    /// <summary>What it is like now; the process's own number is filled in by others.</summary>
    WorkerStatus Status { get; }

    /// <summary>
    /// Becomes what the definition says, while its client goes on; false where only another device could, and it stays as it
    /// is. Throws <see cref="BusException"/> for what can't be.
    /// </summary>
    bool TryConfigure(InstanceDefinition definition);

    /// <summary>
    /// Stops between two messages, leaves its client as it is, and saves the device's whole state; null where the device can't,
    /// or no client is there: a successor then begins without. Nothing is served after it.
    /// </summary>
    FileDescriptor? Yield();
}

/// <summary>Makes a vGPU and serves it. Throws <see cref="BusException"/>.</summary>
public delegate IServedVgpu ServeVgpu(ServeRequest request);
