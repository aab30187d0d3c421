using Vgpu.Linux;

namespace Vgpu.VfioUser;

/// <summary>
/// Writes down what a keeper is told, in the process that serves the client as in the one that keeps its descriptors. Throws
/// as <see cref="KeptClient"/> does. One thread at a time.
/// </summary>
public sealed class ClientRecord : IConnectionKeeper, IDisposable
{
    /// <summary>The client, which stays this record's; null while there is none.</summary>
    public KeptClient? Client { get; private set; }

    private KeptClient Current => Client ?? throw new InvalidDataException("there is no client");

    /// <summary>A client of which only this is known; it takes the place of another.</summary>
    public void ClientAccepted(FileDescriptor socket)
    {
        ClientGone();
        Client = new KeptClient(socket.Duplicate());
    }

    /// <inheritdoc/>
    public void DmaMapped(in KeptMap map, FileDescriptor? file) => Current.Map(map, file);

    /// <inheritdoc/>
    public void DmaUnmapped(ulong iova, ulong size) => Current.Unmap(iova, size);

    /// <inheritdoc/>
    public void DmaUnmappedAll() => Current.UnmapAll();

    /// <inheritdoc/>
    public void IrqsSet(in KeptIrqs irqs, ReadOnlySpan<byte> bools, ReadOnlySpan<FileDescriptor> eventfds) => Current.SetIrqs(irqs, bools, eventfds);

    /// <inheritdoc/>
    public void ClientGone()
    {
        Client?.Dispose();
        Client = null;
    }

    /// <summary>Closes what is kept.</summary>
    public void Dispose() => ClientGone();
}
