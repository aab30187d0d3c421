using System.Runtime.InteropServices;
using Vgpu.Linux;

namespace Vgpu.VfioUser.Tests.Resuming;

/// <summary>What a served process and its keeper tell each other: one kind of message, each with one descriptor at most.</summary>
internal enum KeeperWord
{
    Accepted,
    Mapped,
    Unmapped,
    UnmappedAll,
    Irq,
    Gone,
    JournalFile,
    StateFile,
    Listener,
    Go,
}

[StructLayout(LayoutKind.Sequential)]
internal struct KeeperMessage
{
    public KeeperWord Word;
    public KeptMap Map;
    public KeptIrqs Irqs;
    public int HasDescriptor;
}

/// <summary>One end of such a conversation.</summary>
internal sealed class KeeperWire(UnixSocket socket) : IConnectionKeeper, IDisposable
{
    private readonly byte[] _bytes = new byte[Marshal.SizeOf<KeeperMessage>()];
    private readonly int[] _numbers = new int[4];

    internal UnixSocket Socket => socket;

    public void ClientAccepted(FileDescriptor socket) => Send(new KeeperMessage { Word = KeeperWord.Accepted }, socket);

    public void DmaMapped(in KeptMap map, FileDescriptor? file) => Send(new KeeperMessage { Word = KeeperWord.Mapped, Map = map }, file);

    public void DmaUnmapped(ulong iova, ulong size) => Send(new KeeperMessage { Word = KeeperWord.Unmapped, Map = new KeptMap(iova, size, 0, 0) });

    public void DmaUnmappedAll() => Send(new KeeperMessage { Word = KeeperWord.UnmappedAll });

    public void IrqsSet(in KeptIrqs irqs, ReadOnlySpan<byte> bools, ReadOnlySpan<FileDescriptor> eventfds)
    {
        Assert.InRange(eventfds.Length, 0, 1);
        Send(new KeeperMessage { Word = KeeperWord.Irq, Irqs = irqs }, eventfds.Length == 0 ? null : eventfds[0]);
    }

    public void ClientGone() => Send(new KeeperMessage { Word = KeeperWord.Gone });

    internal void Send(KeeperMessage message, FileDescriptor? descriptor = null)
    {
        message.HasDescriptor = descriptor is null ? 0 : 1;
        Assert.Equal(Errno.None, socket.Send(MemoryMarshal.AsBytes(new ReadOnlySpan<KeeperMessage>(in message)), default, descriptor is null ? [] : [descriptor.Number]));
    }

    /// <summary>The next message; false at the end.</summary>
    internal bool TryReceive(out KeeperMessage message, out FileDescriptor? descriptor)
    {
        message = default;
        descriptor = null;
        for (int done = 0; done < _bytes.Length;)
        {
            int received = socket.Receive(_bytes.AsSpan(done), _numbers, out int count, out _);
            if (received == 0)
            {
                return false;
            }

            descriptor = count > 0 ? new FileDescriptor(_numbers[0]) : descriptor;
            done += received;
        }

        message = MemoryMarshal.Read<KeeperMessage>(_bytes);
        return true;
    }

    /// <summary>Does to a record what the other end says.</summary>
    internal static void Apply(in KeeperMessage message, FileDescriptor? descriptor, ClientRecord record)
    {
        using (descriptor)
        {
            switch (message.Word)
            {
                case KeeperWord.Accepted:
                    record.ClientAccepted(descriptor!);
                    break;
                case KeeperWord.Mapped:
                    record.DmaMapped(message.Map, descriptor);
                    break;
                case KeeperWord.Unmapped:
                    record.DmaUnmapped(message.Map.Iova, message.Map.Size);
                    break;
                case KeeperWord.UnmappedAll:
                    record.DmaUnmappedAll();
                    break;
                case KeeperWord.Irq:
                    record.IrqsSet(message.Irqs, [], descriptor is null ? [] : [descriptor]);
                    break;
                case KeeperWord.Gone:
                    record.ClientGone();
                    break;
            }
        }
    }

    /// <summary>Tells all of a client, as its server did.</summary>
    internal void Tell(KeptClient client)
    {
        ClientAccepted(client.Socket);
        foreach ((KeptMap map, FileDescriptor? file) in client.Maps)
        {
            DmaMapped(map, file);
        }

        foreach ((KeptIrqs irqs, FileDescriptor? eventfd) in client.Irqs)
        {
            Send(new KeeperMessage { Word = KeeperWord.Irq, Irqs = irqs }, eventfd);
        }
    }

    public void Dispose() => socket.Dispose();
}
