using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Bus.Workers;

/// <summary>
/// A worker process's side of the conversation with the daemon: waits to be told what to serve, tells of everything that a
/// successor would need, and when the daemon is gone looks for the next one while its client goes on.
/// </summary>
/// <remarks>
/// The main thread is in <see cref="Run"/>. The keeper's calls come on the connection's thread; <see cref="_lock"/> orders
/// them, and guards the record and the sending half of the channel. It is held for no longer than a message to a daemon that
/// reads: one that does not is left, and found again.
/// </remarks>
public sealed partial class WorkerAgent : IMemoryFiles, IDisposable
{
    private const int StatusMilliseconds = 1000;
    private const int MaxNotices = 256;
    private const int FirstPause = 20;
    private const int LongestPause = 500;

    private readonly string _path;
    private readonly ServeVgpu _serve;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly ConcurrentQueue<byte[]> _notices = new();
    private readonly EventFd _noticed = EventFd.Create();
    private readonly PollSet _poll = new();
    private WorkerChannel? _channel;
    private InstanceRecord? _record;
    private IServedVgpu? _served;
    private byte[] _lastStatus = [];

    /// <summary>A worker of the daemon that listens at <paramref name="path"/>.</summary>
    public WorkerAgent(string path, ServeVgpu serve, ILogger log)
    {
        _path = path;
        _serve = serve;
        _log = log;
    }

    /// <summary>One whose daemon is at the other end of this channel, which it takes over.</summary>
    internal WorkerAgent(WorkerChannel channel, ServeVgpu serve, ILogger log)
        : this(string.Empty, serve, log) => _channel = channel;

    /// <summary>Whether the daemon has said something.</summary>
    internal bool HasOrder => _channel!.WaitReadable(0);

    /// <summary>
    /// The whole life of a worker process. <paramref name="warmUp"/> runs once the daemon knows of this worker, and
    /// returns early when what it is given says that an order has come. Returns an exit status.
    /// </summary>
    public int Run(Action<Func<bool>> warmUp)
    {
        if (!TryConnect(out Errno why))
        {
            // One that ended while this began needs no worker, and nobody to be told of it.
            if (why is not (Errno.None or Errno.ENOENT or Errno.ECONNREFUSED))
            {
                _log.NoDaemon(_path, why);
            }

            return 1;
        }

        warmUp(() => HasOrder);
        lock (_lock)
        {
            _channel?.TrySend(WorkerMessageKind.Hello, WorkerHello.Format(isWarm: true));
        }

        while (true)
        {
            if (!WaitForOrder(_channel!))
            {
                PassNoticesOn();
                PushStatus();
            }
            else if (!Attend())
            {
                return 0;
            }
        }
    }

    /// <summary>Does what the daemon says next, or finds another where it is gone; false once there is nothing left to do.</summary>
    internal bool Attend()
    {
        using WorkerMessage? message = _channel!.Receive();
        if (message is not null)
        {
            return Handle(message);
        }

        if (_served is null)
        {
            return false;
        }

        FindDaemon();
        return true;
    }

    public void Dispose()
    {
        _served?.Dispose();
        _channel?.Dispose();
        _record?.Dispose();
        _noticed.Dispose();
    }

    FileDescriptor IMemoryFiles.Open(string name, ulong size) =>
        Keep(name, file => file.Inspect().Size == size, () => MemFd.Create($"vgpu-{name}", size));

    private FileDescriptor Keep(string name, Func<FileDescriptor, bool> suits, Func<FileDescriptor> make)
    {
        lock (_lock)
        {
            if (_record!.Files.TryGetValue(name, out FileDescriptor? file) && suits(file))
            {
                return file.Duplicate();
            }

            file = make();
            _record.Replace(name, file);
            Tell(WorkerMessageKind.File, Encoding.UTF8.GetBytes(name), file);
            return file.Duplicate();
        }
    }

    // False once there is nothing left to do.
    private bool Handle(WorkerMessage message)
    {
        switch (message.Kind)
        {
            case WorkerMessageKind.Instance:
                _record = InstanceRecord.Begin(message);
                return true;
            case WorkerMessageKind.Serve:
                return Serve((ServeMode)message.Payload[0], BitConverter.ToUInt64(message.Payload[1..]));
            case WorkerMessageKind.Configure:
                Configure(InstanceText.Parse(message.Payload));
                return true;
            case WorkerMessageKind.Yield:
                Yield();
                return false;
            case WorkerMessageKind.Stop:
                _served?.Dispose();
                _served = null;
                return false;
            default:
                // Before Serve: what the instance has. Afterwards the record is this worker's to change.
                return _served is null && _record is not null && _record.Apply(message);
        }
    }

    private bool Serve(ServeMode mode, ulong peakMemory)
    {
        InstanceRecord record = _record ?? throw new InvalidDataException("told to serve nothing");
        try
        {
            _served = _serve(new ServeRequest
            {
                Definition = record.Definition,
                Mode = mode,
                PeakMemory = peakMemory,
                Functions = [.. record.Functions.Select(RequestOf)],
                ScreenListener = record.ScreenListener.Duplicate(),
                Files = this,
                Keep = Keep,
                State = record.Files.GetValueOrDefault(InstanceRecord.StateFile),
                Shares = record.Files.GetValueOrDefault(ServeRequest.SharesFile),
                Report = Report,
            });
        }
        catch (Exception e) when (e is BusException or LinuxException or IOException or ArgumentException)
        {
            lock (_lock)
            {
                Tell(WorkerMessageKind.Refused, Encoding.UTF8.GetBytes(e.Message));
            }

            return false;
        }

        // Before the daemon says that it runs, it knows how.
        PushStatus();
        lock (_lock)
        {
            record.Remove(InstanceRecord.StateFile);
            Tell(WorkerMessageKind.Served);
        }

        return true;
    }

    private FunctionRequest RequestOf(FunctionRecord function, int number) => new()
    {
        Name = function.Name,
        Listener = function.Listener.Duplicate(),
        Keeper = new FunctionKeeper(this, (byte)number),
        Client = function.Client,
        JournalFile = function.JournalFile,
        CheckpointFile = function.CheckpointFile,
    };

    private void Configure(InstanceDefinition definition)
    {
        byte[] answer = [];
        try
        {
            if (_served?.TryConfigure(definition) ?? false)
            {
                lock (_lock)
                {
                    _record!.Definition = definition;
                }
            }
            else
            {
                answer = [WorkerChannel.NeedsAnother];
            }
        }
        catch (BusException e)
        {
            answer = [(byte)e.Error, .. Encoding.UTF8.GetBytes(e.Message)];
        }

        lock (_lock)
        {
            Tell(WorkerMessageKind.Configured, answer);
        }

        PushStatus();
    }

    private void Yield()
    {
        using FileDescriptor? state = _served?.Yield();
        lock (_lock)
        {
            Tell(WorkerMessageKind.Yielded, default, state is null ? [] : [state]);
        }
    }

    // Any thread, with a device's lock or without: only leaves word.
    private void Report(WorkerEventKind kind, string detail)
    {
        if (_notices.Count < MaxNotices)
        {
            _notices.Enqueue([(byte)kind, .. Encoding.UTF8.GetBytes(detail)]);
            _noticed.Signal();
        }
    }

    // False where there is something to tell first, or it is time for a status.
    private bool WaitForOrder(WorkerChannel channel)
    {
        bool isIdle = !(_record?.HasClient ?? false) && _notices.IsEmpty;
        _poll.Clear();
        int order = _poll.Add(channel.Descriptor, PollEvents.POLLIN);
        int notice = _poll.Add(_noticed.Descriptor, PollEvents.POLLIN);
        _poll.Wait(isIdle ? -1 : StatusMilliseconds);
        if (_poll.Ready(notice) != PollEvents.None)
        {
            _noticed.Take();
            return false;
        }

        return _poll.Ready(order) != PollEvents.None;
    }

    private void PassNoticesOn()
    {
        lock (_lock)
        {
            while (_notices.TryDequeue(out byte[]? notice))
            {
                Tell(WorkerMessageKind.Event, notice);
            }
        }
    }

    private void PushStatus()
    {
        if (_served is not { } served)
        {
            return;
        }

        WorkerStatus now = served.Status;
        lock (_lock)
        {
            byte[] status = WorkerStatusText.Format(now with { ClientPid = ClientPid() });
            if (!status.AsSpan().SequenceEqual(_lastStatus))
            {
                _lastStatus = status;
                Tell(WorkerMessageKind.Status, status);
            }
        }
    }

    // Lock held.
    private int? ClientPid() => _record?.Functions[InstanceFunctions.Gpu].Client is { } client ? SocketPeer.Of(client.Socket).Pid : null;

    // Lock held. A daemon that does not read is as good as gone: it gets all of it anew when it comes back.
    private void Tell(WorkerMessageKind kind, ReadOnlySpan<byte> payload = default, params ReadOnlySpan<FileDescriptor> descriptors)
    {
        if (_channel is { } channel && !channel.TrySend(kind, payload, descriptors))
        {
            channel.Shutdown();
        }
    }

    private bool TryConnect(out Errno why)
    {
        why = Errno.None;
        WorkerChannel channel;
        try
        {
            channel = new WorkerChannel(UnixSocket.Connect(_path, UnixSocketKind.SOCK_SEQPACKET));
        }
        catch (LinuxException e)
        {
            why = e.Errno;
            return false;
        }

        WorkerStatus? now = _served?.Status;
        lock (_lock)
        {
            channel.BePatient();
            bool told = channel.SendPatiently(WorkerMessageKind.Hello, WorkerHello.Format(isWarm: false));
            if (now is not null && _record is { } record)
            {
                _lastStatus = WorkerStatusText.Format(now with { ClientPid = ClientPid() });
                told = told && record.SendTo(channel) && channel.SendPatiently(WorkerMessageKind.Status, _lastStatus) && channel.SendPatiently(WorkerMessageKind.Served);
            }

            if (!told)
            {
                channel.Dispose();
                return false;
            }

            _channel?.Dispose();
            _channel = channel;
        }

        return true;
    }

    private void FindDaemon()
    {
        lock (_lock)
        {
            _channel?.Dispose();
            _channel = null;
        }

        _log.DaemonGone();
        using var pause = new ManualResetEventSlim();
        for (int milliseconds = FirstPause; !TryConnect(out _); milliseconds = Math.Min(milliseconds * 2, LongestPause))
        {
            pause.Wait(milliseconds);
        }
    }
}
