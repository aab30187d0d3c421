using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Server;

namespace Vgpu.VfioUser;

/// <summary>
/// Serves one device to one client at a time at a Unix socket (vfio-user specification, "Socket"). When a client
/// leaves, the device is closed and the next one is taken; a second one meanwhile is refused.
/// </summary>
public sealed partial class VfioUserServer : IDisposable
{
    private static readonly TimeSpan _acceptRetry = TimeSpan.FromMilliseconds(100);

    private readonly VfioDevice _device;
    private readonly ILogger _log;
    private readonly VfioUserServerOptions _options;
    private readonly LogGate _gate = new();
    private readonly VfioUserConnection.ConnectionBuffers _buffers;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _stopping = new();
    private UnixSocket? _listener;
    private Thread? _thread;
    private VfioUserConnection? _client;
    private bool _stopped;

    /// <summary>
    /// A server of <paramref name="device"/>, which stays the caller's and has no other server, at
    /// <paramref name="socketPath"/>, of at most 107 bytes. What it has to say, and the device's domain where that has no
    /// logger, goes to <paramref name="log"/>; null: nowhere.
    /// </summary>
    public VfioUserServer(string socketPath, VfioDevice device, ILogger? log = null, VfioUserServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(socketPath);
        ArgumentNullException.ThrowIfNull(device);
        SocketPath = socketPath;
        _device = device;
        _options = options ?? new VfioUserServerOptions();
        Name = _options.Name ?? Path.GetFileNameWithoutExtension(socketPath);
        _log = NamedLogger.For(log ?? NullLogger.Instance, Name);
        device.Iommu.Logger ??= _log;
        Counters = new VfioUserCounters(device.Regions.Count);
        _buffers = new VfioUserConnection.ConnectionBuffers(_options.Journal);
    }

    /// <summary>A client has completed VFIO_USER_VERSION or left. Raised by the server's threads; see <see cref="IsClientConnected"/>.</summary>
    public event EventHandler? ClientChanged;

    /// <summary>Where it listens.</summary>
    public string SocketPath { get; }

    /// <summary>What logs and threads call the device.</summary>
    public string Name { get; }

    /// <summary>Messages of all clients so far.</summary>
    public VfioUserCounters Counters { get; }

    /// <summary>Whether a client is served that has completed VFIO_USER_VERSION. Any thread.</summary>
    public bool IsClientConnected => Volatile.Read(ref _client) is { IsNegotiated: true, IsEnding: false };

    /// <summary>
    /// Listens, with mode 0600, and begins to serve. Throws <see cref="LinuxException"/>: EADDRINUSE where somebody
    /// listens there, EEXIST where the path is no socket.
    /// </summary>
    public void Start() => Start(null);

    /// <summary>
    /// As <see cref="Start()"/>, with a socket that listens already and is this server's from then on. It is closed and
    /// nothing else at the end: other processes may have it too. No other accepts from it meanwhile.
    /// </summary>
    public void Start(UnixSocket? listener)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            if (_listener is not null)
            {
                throw new InvalidOperationException("started before");
            }

            _wake = listener is null ? null : EventFd.Create();
            _listener = listener ?? UnixSocket.Listen(SocketPath);
            _thread = new Thread(Accept) { Name = $"vfio-user {Name} accept", IsBackground = true };
            _thread.Start();
        }

        if (listener is null)
        {
            _log.Listening(SocketPath);
        }
    }

    /// <summary>
    /// Ends the client's connection and the listening, waits for both threads, and removes the socket if it is still the
    /// one that <see cref="Start()"/> made. Any thread but those of a connection; calls after the first do nothing.
    /// </summary>
    public void Stop()
    {
        lock (_lock)
        {
            if (_stopped)
            {
                return;
            }

            _stopped = true;
            _stopping.Set();
            StopListening();
            _client?.Shutdown();
        }

        _thread?.Join();
        _client?.Dispose();
        _listener?.Dispose();
        _wake?.Dispose();
        _stopping.Dispose();
    }

    /// <summary>As <see cref="Stop"/>.</summary>
    public void Dispose() => Stop();

    private void Accept()
    {
        while (!_stopping.IsSet)
        {
            UnixSocket? socket;
            try
            {
                if (!WaitForClient())
                {
                    continue;
                }

                socket = _listener!.Accept();
            }
            catch (LinuxException e)
            {
                // Out of descriptors or memory: the client stays in the backlog.
                if (_gate.TryEnter())
                {
                    _log.AcceptFailed(e.Message);
                }

                _stopping.Wait(_acceptRetry);
                continue;
            }

            if (socket is null)
            {
                return;
            }

            if (IsFree())
            {
                Serve(socket);
            }
            else
            {
                Refuse(socket);
            }
        }
    }

    // Waits for a client that is leaving, as the one who comes after it may be its successor.
    private bool IsFree()
    {
        VfioUserConnection? client = Volatile.Read(ref _client);
        if (client is null)
        {
            return true;
        }

        if (!client.IsNegotiated && Environment.TickCount64 - client.Since >= (long)_options.HandshakeTimeout.TotalMilliseconds)
        {
            client.Shutdown();
        }
        else if (!client.IsEnding)
        {
            return false;
        }

        client.Dispose();
        return true;
    }

    private void Serve(UnixSocket socket)
    {
        VfioUserConnection connection;
        try
        {
            connection = ConnectionOver(socket);
        }
        catch (LinuxException)
        {
            socket.Dispose();
            return;
        }

        lock (_lock)
        {
            Volatile.Write(ref _client, connection);
            connection.Start();
            if (_stopped)
            {
                connection.Shutdown();
            }
        }
    }

    private VfioUserConnection ConnectionOver(UnixSocket socket) =>
        new(socket, _device, Name, _log, _options, Counters, _gate, _buffers)
        {
            Changed = () => ClientChanged?.Invoke(this, EventArgs.Empty),
        };

    private void Refuse(UnixSocket socket)
    {
        using (socket)
        {
            if (_gate.TryEnter())
            {
                _log.SecondClient(socket.Peer().Pid);
            }
        }
    }
}
