using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>
/// Answers what a server asks of its client: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE. On the main socket the client
/// hands messages over; a twin socket has a thread of its own.
/// </summary>
internal sealed class DmaResponder : IDisposable
{
    private readonly UnixSocket _socket;
    private readonly Func<IClientMemory?> _memory;
    private byte[] _reply = [];
    private Thread? _thread;

    internal DmaResponder(UnixSocket socket, Func<IClientMemory?> memory)
    {
        _socket = socket;
        _memory = memory;
    }

    /// <summary>Serves the socket, which is owned from now on, until it ends.</summary>
    internal void Start()
    {
        _thread = new Thread(Run) { Name = "vfio-user twin socket", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Sends the answer to one request.</summary>
    internal void Answer(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        if (_reply.Length == 0)
        {
            _reply = GC.AllocateUninitializedArray<byte>(VfioUserLimits.MaxMessageSize);
        }

        Errno errno = Carry(header, payload, out int length);
        VfioUserHeader reply = errno == Errno.None ? header.Reply(length) : header.Failure(errno);
        MemoryMarshal.Write(_reply, in reply);
        if (!header.NoReply)
        {
            _ = _socket.Send(_reply.AsSpan(0, (int)reply.MessageSize));
        }
    }

    public void Dispose()
    {
        _socket.Shutdown();
        _thread?.Join();
        _socket.Dispose();
    }

    private Errno Carry(in VfioUserHeader header, ReadOnlySpan<byte> payload, out int length)
    {
        length = DmaAccess.Length;
        var reader = new WireReader(payload);
        if (!reader.TryRead(out DmaAccess access))
        {
            return Errno.EINVAL;
        }

        MemoryMarshal.Write(_reply.AsSpan(VfioUserHeader.Length), in access);
        if (access.Count is 0 or > VfioUserLimits.MaxDataXferSize)
        {
            return access.Count == 0 ? Errno.EINVAL : Errno.E2BIG;
        }

        IClientMemory? memory = _memory();
        switch (header.Command)
        {
            case VfioUserCommand.VFIO_USER_DMA_READ when reader.Rest.IsEmpty:
                length += (int)access.Count;
                return memory?.Read(access.Address, _reply.AsSpan(VfioUserHeader.Length + DmaAccess.Length, (int)access.Count)) ?? Errno.ENODEV;
            case VfioUserCommand.VFIO_USER_DMA_WRITE when (ulong)reader.Rest.Length == access.Count:
                return memory?.Write(access.Address, reader.Rest) ?? Errno.ENODEV;
            case VfioUserCommand.VFIO_USER_DMA_READ or VfioUserCommand.VFIO_USER_DMA_WRITE:
                return Errno.EINVAL;
            default:
                return Errno.ENOSYS;
        }
    }

    private void Run()
    {
        byte[] message = GC.AllocateUninitializedArray<byte>(VfioUserLimits.MaxMessageSize);
        while (TryReceive(message.AsSpan(0, VfioUserHeader.Length)))
        {
            VfioUserHeader header = MemoryMarshal.Read<VfioUserHeader>(message);
            if (header.MessageSize is < VfioUserHeader.Length or > VfioUserLimits.MaxMessageSize)
            {
                return;
            }

            Span<byte> payload = message.AsSpan(VfioUserHeader.Length, (int)header.MessageSize - VfioUserHeader.Length);
            if (!TryReceive(payload))
            {
                return;
            }

            Answer(header, payload);
        }
    }

    private bool TryReceive(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int received = _socket.Receive(bytes, [], out _, out _);
            if (received == 0)
            {
                return false;
            }

            bytes = bytes[received..];
        }

        return true;
    }
}
