using Microsoft.Extensions.Logging;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Virtio;

/// <summary>What a virtio device sees of the transport that carries it.</summary>
public interface IVirtioTransport
{
    /// <summary>The device's one lock (<see cref="Vfio.VfioDevice.Lock"/>).</summary>
    Lock Lock { get; }

    /// <summary>The driver's memory.</summary>
    Type2 Iommu { get; }

    ILogger Log { get; }

    /// <summary>Configuration change notification (virtio 1.2, 2.3): the driver reads the config again. Takes the lock where it is not held. Any thread.</summary>
    void ConfigChanged();

    /// <summary>The device can't go on until the driver resets it (virtio 1.2, 2.1: DEVICE_NEEDS_RESET). Lock held.</summary>
    void NeedsReset(string why);

    /// <summary>
    /// The device's state is about to change in a way that a checkpoint holds (<see cref="Vfio.VfioDevice.StateChanged"/>): it is
    /// committed with the next chain that is pushed, or when the lock is let go. Lock held.
    /// </summary>
    void StateChanged();

    /// <summary>
    /// Commits what has changed before the caller hears that it is done: for changes that come from elsewhere than a chain.
    /// Any thread, with the lock held.
    /// </summary>
    void CommitState();

    /// <summary>Takes the lock before a busy worker has it again (<see cref="Vfio.VfioDevice.InTurn"/>). Any thread.</summary>
    Lock.Scope InTurn();

    /// <summary>A queue by its number: for a device that gives back chains which its predecessor's state says it holds.</summary>
    Virtqueue QueueAt(int index);

    /// <summary>Bytes of a checkpoint's state that there is room for; without a checkpoint, any number. Any thread.</summary>
    long CheckpointRoom { get; }

    /// <summary>
    /// One chain of a queue, as the transport's own worker does it: <see cref="VirtioDevice.HandleChain"/>. False where there is
    /// none for now, or one of this queue is under way (<see cref="Virtqueue.GoOn"/>). Lock held.
    /// </summary>
    bool Work(int queue);

    /// <summary>The chain that <see cref="Virtqueue.GoOn"/> was said of is done with, or kept. Nothing after a reset. Lock held.</summary>
    void EndWork(int queue);

    /// <summary>Runs <see cref="VirtioDevice.HandleChain"/> again for queues whose chains were left, as after a notification. Any thread.</summary>
    void Wake(int queue);
}

/// <summary>What came of a part of a device's recovery.</summary>
public enum RecoveryStep
{
    /// <summary>Nothing is left to do.</summary>
    Done,

    /// <summary>There is more.</summary>
    More,

    /// <summary>The driver's memory can't be reached now: again soon.</summary>
    Later,
}

/// <summary>
/// A virtio device type (virtio 1.2, chapter 5), apart from any transport. One that is
/// <see cref="Vfio.Migration.IVfioMigratable"/> moves to another server with the transport's state; when it loads its own
/// it is as after <see cref="Reset"/> and, where the driver was ready, <see cref="Activate"/>.
/// </summary>
public abstract class VirtioDevice : IDisposable
{
    /// <summary>Device type number (virtio 1.2, chapter 5): 16 for a GPU.</summary>
    public abstract ushort DeviceType { get; }

    /// <summary>PCI class code for the transport, 24 bits.</summary>
    public abstract uint PciClassCode { get; }

    /// <summary>The type's own feature bits; the transport adds those of the ring and VERSION_1.</summary>
    public abstract ulong DeviceFeatures { get; }

    /// <summary>The largest size of each queue.</summary>
    public abstract IReadOnlyList<ushort> QueueSizes { get; }

    /// <summary>Bytes of device-specific configuration.</summary>
    public abstract int ConfigSize { get; }

    /// <summary>Set by the transport before anything else is called.</summary>
    public IVirtioTransport Transport { get; set; } = null!;

    /// <summary>
    /// Whether a thread of the device's own works on the queue, with <see cref="IVirtioTransport.Work"/>, and not the transport's.
    /// Always the same.
    /// </summary>
    public virtual bool HasOwnThread(int queueIndex) => false;

    /// <summary>Such a queue may have chains. Any thread, whatever locks it holds; does not block.</summary>
    public virtual void QueueReady(int queueIndex)
    {
    }

    /// <summary>Reads the device-specific configuration; the range lies within it. Lock held.</summary>
    public abstract void ReadConfig(int offset, Span<byte> data);

    /// <summary>Writes it. Lock held.</summary>
    public abstract void WriteConfig(int offset, ReadOnlySpan<byte> data);

    /// <summary>DRIVER_OK with these negotiated features. Lock held.</summary>
    public virtual void Activate(ulong features)
    {
    }

    /// <summary>
    /// One descriptor chain, validated whole, on the worker thread with the lock held. The device answers with
    /// <see cref="Virtqueue.Push(ushort, uint)"/>, now or later (keeping <see cref="DescriptorChain.Head"/>, not the
    /// chain), or puts the chain back with <see cref="Virtqueue.Leave"/>.
    /// </summary>
    public abstract void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain);

    /// <summary>To the state after power-on: every resource freed. Lock held.</summary>
    public abstract void Reset();

    /// <summary>Drops every resolved run within the range. Lock held.</summary>
    public abstract void DmaUnmap(ulong iova, ulong length);

    /// <summary>
    /// The device is stopped for a move or goes on: between the two no chain comes, what is pushed waits, and the device
    /// changes nothing by itself. Lock held.
    /// </summary>
    public virtual void OnRunning(bool running)
    {
    }

    /// <summary>
    /// After the load of a checkpoint: brings back a part of what it left out from the driver's memory. On the worker thread
    /// with the lock held, again and again, before any chain. A reset ends it.
    /// </summary>
    public virtual RecoveryStep Recover() => RecoveryStep.Done;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
