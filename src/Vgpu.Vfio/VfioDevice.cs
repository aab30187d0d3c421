using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;

namespace Vgpu.Vfio;

/// <summary>
/// A device as VFIO shows it: regions, interrupts, reset, and the DMA that it does through its IOMMU domain.
/// Follows struct vfio_device_ops (drivers/vfio/vfio_main.c) in user space; knows no socket.
/// </summary>
/// <remarks>
/// <para>
/// <b>Threads.</b> Region access, SetIrqs, Reset, DmaUnmap, Open and Close come from the transport's thread, one at
/// a time. A device does its queue work on a thread of its own.
/// </para>
/// <para>
/// <b>Lock order.</b> 1. <see cref="Lock"/>, one per device: it orders reset, queue set-up, DMA unmap and the swap of
/// interrupt triggers against the device's worker, which holds it for one unit of work at a time (one descriptor
/// chain). 2. The lock inside <see cref="Type2"/>, which guards the map table; its dirty log's after it. 3. What a device
/// guards of its own beside its worker, such as a framebuffer. 4. A head's, of the screen. 5. The level of INTx (Vgpu.Pci),
/// a leaf: no other is taken with it held, and masking and unmasking take it alone. A later lock may be taken with an
/// earlier one held, never the other way round, and none is held while sending on a socket. Pointers
/// into guest memory are used only with 1 held, and never kept past the call that resolved them unless
/// <see cref="DmaUnmap"/> drops them.
/// </para>
/// </remarks>
public abstract partial class VfioDevice : IDisposable
{
    private readonly Lock _turnstile = new();

    /// <summary>A device that does DMA through this domain, which tells it of unmaps from here on and stays the caller's.</summary>
    protected VfioDevice(Type2 iommu)
    {
        Iommu = iommu;
        Migration = new VfioMigration(this);
        iommu.Attach(this);
    }

    /// <summary>The domain through which this device reaches the client's memory.</summary>
    public Type2 Iommu { get; }

    /// <summary>The one lock of this device; first in the lock order.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Its migration state: whether it runs, and how its state goes from one server to another.</summary>
    public VfioMigration Migration { get; }

    /// <summary>Device flags for VFIO_DEVICE_GET_INFO.</summary>
    public abstract VfioDeviceFlags Flags { get; }

    /// <summary>The regions by index. The list and its members do not change.</summary>
    public abstract IReadOnlyList<VfioRegion> Regions { get; }

    /// <summary>The interrupts by index. The list does not change.</summary>
    public abstract IReadOnlyList<VfioIrqInfo> Irqs { get; }

    /// <summary>
    /// Reads from a region. The transport has checked that the region exists, is readable and that the range lies
    /// within it. Allocates nothing.
    /// </summary>
    public abstract Errno ReadRegion(int index, ulong offset, Span<byte> data);

    /// <summary>
    /// The memory that <see cref="ReadRegion"/> of this range, checked as for it, would only copy: the transport may send
    /// from it instead, which spares two passes over a long read. Empty, as here: there is none, or reading does more.
    /// Stays valid until the transport's thread comes back to the device. Allocates nothing.
    /// </summary>
    public virtual ReadOnlySpan<byte> ReadableMemory(int index, ulong offset, int length) => default;

    /// <summary>Writes to a region; checked by the transport as for <see cref="ReadRegion"/>. Allocates nothing.</summary>
    public abstract Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data);

    /// <summary>
    /// VFIO_DEVICE_SET_IRQS. The transport has checked that the index exists, that start + count fits it, that flags
    /// hold one data kind and one action, and that the payload has the length that they say.
    /// </summary>
    /// <param name="index">The interrupt index.</param>
    /// <param name="start">First subindex.</param>
    /// <param name="count">Subindexes; 0 with DATA_NONE and ACTION_TRIGGER turns the whole index off.</param>
    /// <param name="flags">One data kind and one action.</param>
    /// <param name="bools">One byte a subindex with DATA_BOOL, otherwise empty.</param>
    /// <param name="eventfds">
    /// With DATA_EVENTFD one a subindex, which the device owns from then on whatever it answers, or none at all:
    /// de-assign. A null entry de-assigns one subindex.
    /// </param>
    public abstract Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds);

    /// <summary>A client has come: vfio_device_ops.open_device.</summary>
    public virtual void Open()
    {
    }

    /// <summary>
    /// The client is gone: vfio_device_ops.close_device. The device is as after <see cref="Reset"/> and holds no
    /// trigger of that client when this returns; the domain's maps go after it.
    /// </summary>
    public abstract void Close();

    /// <summary>VFIO_DEVICE_RESET: to the state after power-on. Triggers and maps stay.</summary>
    public abstract void Reset();

    /// <summary>
    /// vfio_device_ops.dma_unmap, synchronous: when this returns the device has dropped every pin, pointer and
    /// resolved run within the range, and no thread of it is inside one. Called by <see cref="Type2"/> without its
    /// lock held; the implementation takes <see cref="Lock"/>.
    /// </summary>
    public abstract void DmaUnmap(ulong iova, ulong length);

    /// <summary>
    /// vfio_dma_rw: copies between the client's memory and <paramref name="data"/>, also memory that the client has mapped
    /// without sharing it, which it is asked for. A device's own thread, without <see cref="Lock"/>; with it held only
    /// shared memory is reached, as no lock is held while waiting for a client. EFAULT and EPERM as for
    /// <see cref="Type2.Resolve"/>, or what the client answered.
    /// </summary>
    public Errno DmaRw(ulong iova, Span<byte> data, bool write)
    {
        Errno errno;
        lock (Lock)
        {
            errno = Iommu.DmaRw(iova, data, write);
        }

        return errno == Errno.EFAULT && !Lock.IsHeldByCurrentThread ? Iommu.AskClient(iova, data, write) : errno;
    }

    /// <summary>
    /// Takes <see cref="Lock"/> in turn: who waits for it here comes before a worker that has just let go of it
    /// and wants it again. A lock alone lets a busy worker overtake for a tenth of a second and more, in which a vCPU
    /// waits for a register. The turnstile guards nothing, and whoever is in it waits for the lock only.
    /// </summary>
    public Lock.Scope InTurn()
    {
        if (Lock.IsHeldByCurrentThread)
        {
            return Lock.EnterScope();
        }

        lock (_turnstile)
        {
            return Lock.EnterScope();
        }
    }

    /// <summary>Who saves and loads this device's state: the device itself where it implements that; null: it can't be moved.</summary>
    protected internal virtual IVfioMigratable? State => this as IVfioMigratable;

    /// <summary>
    /// The device has stopped or goes on; see <see cref="VfioMigration.IsRunning"/>. A stopped device does no DMA, raises no
    /// interrupt and changes no state but by a client's access; what came meanwhile is done when it goes on. Lock held.
    /// </summary>
    protected internal virtual void OnRunning(bool running)
    {
    }

    /// <summary>Ends the device: after the last server of it is stopped, and without its lock.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends what a subclass has; it calls this last. True from <see cref="Dispose()"/>.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Iommu.Detach(this);
        }
    }
}
