using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Waits for VNC viewers at a TCP port or a Unix socket and hands them to a server. Beyond loopback it listens only where
/// viewers need a password.
/// </summary>
public sealed class RfbListener : IDisposable
{
    private const int Backlog = 16;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly RfbServer _server;
    private readonly ILogger _log;
    private readonly Socket _socket;
    private readonly UnixSocket? _unix;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;

    private RfbListener(RfbServer server, ILogger log, Socket socket, UnixSocket? unix, string address)
    {
        _server = server;
        _log = log;
        _socket = socket;
        _unix = unix;
        Address = address;
        log.Listening(address);
        _accepting = Accept();
    }

    /// <summary>Where it listens: an address with its port, or a path.</summary>
    public string Address { get; }

    /// <summary>The TCP port; 0 for a Unix socket.</summary>
    public int Port => (_socket.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>
    /// Listens at a TCP address; null: loopback (IPv4), a port that is free. Throws <see cref="ArgumentException"/> for one
    /// beyond loopback where viewers need no password, and <see cref="SocketException"/>.
    /// </summary>
    public static RfbListener Tcp(RfbServer server, IPEndPoint? address, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(log);
        address ??= new IPEndPoint(IPAddress.Loopback, 0);
        if (!IPAddress.IsLoopback(address.Address) && !server.HasPassword)
        {
            throw new ArgumentException($"Without a password VNC is served on loopback only, not at {address}: set one, or listen at 127.0.0.1.", nameof(address));
        }

        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen(Backlog);
            return new RfbListener(server, log, socket, null, socket.LocalEndPoint!.ToString()!);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Listens at a path, at most 107 bytes long, with mode 0600: the same user's viewers, who are asked for neither
    /// password nor TLS. Throws <see cref="LinuxException"/>
    /// (EADDRINUSE: somebody listens there).
    /// </summary>
    public static RfbListener Unix(RfbServer server, string path, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(log);
        UnixSocket unix = UnixSocket.Listen(path, Backlog);
        // The descriptor stays the Unix socket's, which is disposed after the other.
        var socket = new Socket(new SafeSocketHandle(unix.Descriptor.Number, ownsHandle: false));
        return new RfbListener(server, log, socket, unix, path);
    }

    /// <summary>Accepts no more and removes the path; viewers that are there stay (<see cref="RfbServer.Dispose"/>).</summary>
    public void Dispose()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        _end.Cancel();
        _accepting.Wait();
        _unix?.Unlink();
        _socket.Dispose();
        _unix?.Dispose();
        _end.Dispose();
    }

    private async Task Accept()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                Socket viewer = await _socket.AcceptAsync(_end.Token).ConfigureAwait(false);
                _ = Serve(viewer);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, mostly: who waits stays in the backlog.
                _log.AcceptFailed(e.Message);
                await Task.Delay(s_pause, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private Task Serve(Socket viewer)
    {
        try
        {
            // A path's mode has let them in.
            var peer = _unix is null ? new RfbPeer(viewer.RemoteEndPoint?.ToString() ?? "unknown") : new RfbPeer("local") { IsTrusted = true };
            if (_unix is null)
            {
                viewer.NoDelay = true;
            }

            return _server.Serve(new NetworkStream(viewer, ownsSocket: true), peer, CancellationToken.None);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // It left before we came.
            viewer.Dispose();
            return Task.CompletedTask;
        }
    }
}
