// What outlives a server process: the descriptors of its client, kept by somebody else.
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.VfioUser;

/// <summary>
/// Told of everything of a client that only its descriptors can bring back, before the client hears that it is done. All
/// on the connection's thread; members do not block, and duplicate what they keep: descriptors stay the caller's. What one
/// throws ends the connection. <see cref="ClientRecord"/> writes it all down.
/// </summary>
public interface IConnectionKeeper
{
    /// <summary>A client was accepted; nothing of it was read yet.</summary>
    void ClientAccepted(FileDescriptor socket);

    /// <summary>VFIO_USER_DMA_MAP succeeded; <paramref name="file"/> is null where the client gave none.</summary>
    void DmaMapped(in KeptMap map, FileDescriptor? file);

    /// <summary>VFIO_USER_DMA_UNMAP succeeded.</summary>
    void DmaUnmapped(ulong iova, ulong size);

    /// <summary>VFIO_USER_DMA_UNMAP of all.</summary>
    void DmaUnmappedAll();

    /// <summary>
    /// VFIO_USER_DEVICE_SET_IRQS that set, or took away, eventfds or masks succeeded. With eventfds one a subindex, or none:
    /// they are taken away. An unmask is told of only while a mask that was told of may be in force.
    /// </summary>
    void IrqsSet(in KeptIrqs irqs, ReadOnlySpan<byte> bools, ReadOnlySpan<FileDescriptor> eventfds);

    /// <summary>
    /// The client's things are gone: its connection has ended for good. The socket was shut down; each copy of it is closed.
    /// Not told where the server yields.
    /// </summary>
    void ClientGone();
}

/// <summary>A DMA map without its file. Fixed layout: it travels between processes.</summary>
/// <param name="Iova">Guest address.</param>
/// <param name="Size">Bytes.</param>
/// <param name="FileOffset">Where it begins in the file.</param>
/// <param name="Protection">What the device may do there.</param>
public readonly record struct KeptMap(ulong Iova, ulong Size, ulong FileOffset, IommuProtection Protection);

/// <summary>A VFIO_USER_DEVICE_SET_IRQS without its data. Fixed layout.</summary>
public readonly record struct KeptIrqs(uint Index, uint Start, uint Count, VfioIrqSetFlags Flags);
