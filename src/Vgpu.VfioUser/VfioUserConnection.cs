using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Journal;
using Vgpu.VfioUser.Messages;
using Vgpu.VfioUser.Server;

namespace Vgpu.VfioUser;

/// <summary>
/// One client of one device over a connected socket: a thread of its own that waits for messages, carries all of those
/// that came at once out in their order, and answers them together.
/// </summary>
/// <remarks>
/// When the client leaves, or breaks the protocol, the thread closes the device (<see cref="VfioDevice.Close"/>), takes
/// every DMA map away and closes every descriptor of that client before it ends. Region accesses allocate nothing.
/// </remarks>
public sealed partial class VfioUserConnection : IDisposable
{
    // Room beyond the longest message, so that short ones are received many at a time.
    private const int BufferLength = VfioUserLimits.MaxMessageSize + (64 << 10);

    private readonly Lock _socketLock = new();
    private readonly UnixSocket _socket;
    private readonly VfioDevice _device;
    private readonly int _pid;
    private readonly ILogger _log;
    private readonly LogGate _gate;
    private readonly RequestStream _requests;
    private readonly ReplyStream _replies;
    private readonly VfioUserSession _session;
    private readonly ClientMemory _clientMemory;
    private readonly long _since = Environment.TickCount64;
    private readonly Thread _thread;
    private volatile bool _ending;
    private bool _closed;
    private bool _started;

    /// <summary>
    /// Takes ownership of a connected socket; <see cref="Start"/> begins to serve it. The device stays the caller's, and
    /// serves no other connection meanwhile.
    /// </summary>
    public VfioUserConnection(UnixSocket socket, VfioDevice device, string name, ILogger log, VfioUserServerOptions? options = null)
        : this(socket, device, name, log, options ?? new VfioUserServerOptions(), new VfioUserCounters(device.Regions.Count), new LogGate(), new ConnectionBuffers(options?.Journal))
    {
    }

    internal VfioUserConnection(
        UnixSocket socket,
        VfioDevice device,
        string name,
        ILogger log,
        VfioUserServerOptions options,
        VfioUserCounters counters,
        LogGate gate,
        ConnectionBuffers buffers)
    {
        _socket = socket;
        _device = device;
        _log = NamedLogger.For(log, name);
        _gate = gate;
        _pid = socket.Peer().Pid;
        _journal = options.Journal;
        _keeper = options.Keeper;
        _wake = _journal is null ? null : EventFd.Create();
        _requests = new RequestStream(socket, buffers.Requests, _journal) { Wake = _wake };
        _replies = new ReplyStream(socket, buffers.Replies, _journal);
        Counters = counters;
        var sharedMemory = new SharedMemoryCheck(_log, gate, options.LargeMapSize, _pid);
        _clientMemory = new ClientMemory(socket, _requests, _replies.Sending, options.ClientMemoryTimeout, _journal);
        _session = new VfioUserSession(device, _replies, counters, sharedMemory, new ClientFaultLog(_log, gate), _clientMemory, _keeper);
        _thread = new Thread(Run) { Name = $"vfio-user {name}", IsBackground = true };
    }

    /// <summary>What came so far.</summary>
    public VfioUserCounters Counters { get; }

    /// <summary>VFIO_USER_VERSION succeeded. Any thread.</summary>
    public bool IsNegotiated => _session.IsNegotiated;

    /// <summary>The connection serves no more; what follows is the device's close. Any thread.</summary>
    public bool IsEnding => _ending || PeerHasLeft();

    /// <summary>Called on the connection's thread when the client has negotiated, and when its things are gone.</summary>
    internal Action? Changed { get; init; }

    /// <summary>Since when, by <see cref="Environment.TickCount64"/>.</summary>
    internal long Since => _since;

    /// <summary>Begins to serve.</summary>
    public void Start()
    {
        _started = true;
        _thread.Start();
    }

    /// <summary>
    /// Waits until a started connection has ended: the device is closed and the client's things are gone. False when the
    /// time passed. Any thread.
    /// </summary>
    public bool WaitForEnd(TimeSpan timeout) => _thread.Join(timeout);

    /// <summary>Ends the conversation and does not wait for it. Any thread.</summary>
    public void Shutdown()
    {
        _clientMemory.End();
        lock (_socketLock)
        {
            if (!_closed)
            {
                _socket.Shutdown();
            }
        }
    }

    /// <summary>Ends the conversation, also with a client that reads nothing, and waits for the thread. Any thread but its own.</summary>
    public void Dispose()
    {
        Shutdown();
        if (_started)
        {
            _thread.Join();
        }
        else
        {
            CloseSocket();
        }
    }

    private void Run()
    {
        long before = Counters.TotalRequests;
        string? reason = null;
        Guard(() => reason = Serve());
        if (_hasYielded)
        {
            EndYield();
            return;
        }

        _ending = true;
        _requests.Clear();
        _clientMemory.End();
        if (_session.IsNegotiated)
        {
            _device.Iommu.ClientMemory = null;
            Guard(_device.Close);
            Guard(_device.Migration.Reset);
        }

        Guard(_device.Iommu.UnmapAll);
        Guard(_device.Iommu.StopDirtyTracking);
        _clientMemory.Dispose();
        if (_isKept)
        {
            // The keeper has the socket as well.
            _socket.Shutdown();
            Guard(_keeper!.ClientGone);
        }

        CloseSocket();
        if (reason is not null && _gate.TryEnter())
        {
            _log.ClientClosed(_pid, reason);
        }
        else if (reason is null && _session.IsNegotiated && _gate.TryEnter())
        {
            _log.ClientLeft(Counters.TotalRequests - before);
        }

        if (_session.IsNegotiated && Changed is not null)
        {
            Guard(Changed);
        }
    }

    // A device's fault ends its client's connection, never the process.
    private void Guard(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // There is no list of what a device may throw.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (_gate.TryEnter())
            {
                _log.DeviceFailed(e);
            }
        }
    }

    // Null when the client left, otherwise why it was closed.
    private string? Serve()
    {
        if (!BeginJournaled(out string? end))
        {
            return end;
        }

        // A predecessor may have left whole messages.
        for (bool isHere = _isResumed; isHere || _requests.Receive(); isHere = false)
        {
            while (!MustYield && _requests.TryNext(out VfioUserHeader header, out ReadOnlySpan<byte> payload))
            {
                bool wasNegotiated = _session.IsNegotiated;
                bool goesOn = _session.Handle(header, payload, _requests.Descriptors);
                _requests.EndMessage();
                Commit(goesOn);
                if (!goesOn)
                {
                    _replies.Flush();
                    return _session.EndReason;
                }

                if (!wasNegotiated)
                {
                    Welcome();
                }
            }

            _replies.Flush();
            if (_requests.IsBroken)
            {
                return "it sent a message of an impossible size";
            }

            if (_replies.IsBroken)
            {
                return null;
            }

            if (MustYield)
            {
                _hasYielded = true;
                return null;
            }
        }

        return _journal is not null && _requests.IsBroken ? "it sent descriptors with too much else" : null;
    }

    private void Welcome()
    {
        if (_gate.TryEnter())
        {
            if (_isResumed)
            {
                _log.ClientResumed(_pid);
            }
            else
            {
                _log.ClientConnected(_pid);
            }
        }

        Changed?.Invoke();
    }

    private bool PeerHasLeft()
    {
        lock (_socketLock)
        {
            return _closed || _socket.PeerHasLeft();
        }
    }

    private void CloseSocket()
    {
        lock (_socketLock)
        {
            _closed = true;
            _socket.Dispose();
        }

        _wake?.Dispose();
    }

    /// <summary>What a connection receives into and sends from; a server makes them once for all its clients.</summary>
    internal sealed class ConnectionBuffers(ConnectionJournal? journal = null)
    {
        internal WireBuffer Requests { get; } = journal?.Requests ?? new WireBuffer(BufferLength);

        internal WireBuffer Replies { get; } = journal?.Replies ?? new WireBuffer(BufferLength);
    }
}
