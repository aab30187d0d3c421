using System.Net;
using System.Net.Sockets;
using Vgpu.Linux;

namespace Vgpu.Viewers.Spice;

/// <summary>A listening socket. Not thread-safe.</summary>
internal sealed class SpiceEntrance : IDisposable
{
    private const int Backlog = 16;

    private readonly UnixSocket? _unix;
    private readonly Socket? _tcp;

    private SpiceEntrance(UnixSocket unix) => (_unix, Descriptor) = (unix, unix.Descriptor);

    private SpiceEntrance(Socket tcp) => (_tcp, Descriptor) = (tcp, Duplicate(tcp));

    /// <summary>For polling.</summary>
    internal FileDescriptor Descriptor { get; }

    /// <summary>Whether who comes needs no password: a path's mode let them in.</summary>
    internal bool IsTrusted => _unix is not null;

    /// <summary>Throws <see cref="LinuxException"/>.</summary>
    internal static SpiceEntrance Unix(string path) => new(UnixSocket.Listen(path, Backlog));

    /// <summary>Throws <see cref="SocketException"/>.</summary>
    internal static SpiceEntrance Tcp(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen(Backlog);
            socket.Blocking = false;
            return new SpiceEntrance(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Who waits, once the descriptor can be read; null where nobody does any more. Throws <see cref="LinuxException"/> and
    /// <see cref="SocketException"/>, mostly for want of descriptors: who waits goes on waiting.
    /// </summary>
    internal FileDescriptor? Accept()
    {
        if (_unix is not null)
        {
            using UnixSocket? client = _unix.Accept();
            return client?.Descriptor.Duplicate();
        }

        try
        {
            using Socket client = _tcp!.Accept();
            return Duplicate(client);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _unix?.Unlink();
        _unix?.Dispose();
        _tcp?.Dispose();
        Descriptor.Dispose();
    }

    private static FileDescriptor Duplicate(Socket socket)
    {
        using var borrowed = new FileDescriptor((int)socket.Handle);
        try
        {
            return borrowed.Duplicate();
        }
        finally
        {
            // The socket's to close.
            borrowed.SetHandleAsInvalid();
        }
    }
}
