using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

/// <summary>
/// Shows a screen to other processes of the same user, at a Unix socket of mode 0600, and takes their input. One thread
/// serves a few clients, each for one short request at a time; one that breaks the protocol, is silent for long or does not
/// read is dropped, and more than <see cref="MaxClients"/> wait. Pictures are pulled: a client that asks seldom gets fewer,
/// and nothing is kept for it.
/// </summary>
public sealed class ScreenFeedServer : IDisposable
{
    /// <summary>Clients that are served at the same time.</summary>
    public const int MaxClients = 8;

    private const int Backlog = 32;
    private const int AcceptPauseMilliseconds = 1000;
    private const int WarnEveryMilliseconds = 60_000;
    private const int GatherMilliseconds = 1;

    private readonly string _path;
    private readonly ILogger _log;
    private readonly Bell _wake = new();
    private readonly PollSet _poll = new();
    private readonly List<FeedConnection> _clients = [];
    private readonly FeedScreen _feed;
    private UnixSocket? _listener;
    private Thread? _thread;
    private volatile bool _stopping;
    private long _acceptAgain = long.MinValue;
    private long _warnAgain = long.MinValue;

    /// <summary>Listens nowhere yet. <paramref name="path"/> is at most 107 bytes long (unix(7)).</summary>
    public ScreenFeedServer(string path, Screen screen, ILogger log)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(screen);
        ArgumentNullException.ThrowIfNull(log);
        _path = path;
        _feed = new FeedScreen(screen, _wake);
        _log = log;
    }

    /// <summary>
    /// Told of the bytes of pixels that were copied for clients: of a picture that several follow, once. On the feed's thread; set
    /// before the start.
    /// </summary>
    public Action<long>? Copied
    {
        get => _feed.Copied;
        init => _feed.Copied = value;
    }

    /// <summary>How long a client may take for its next whole request.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The least time between two frames for one client.</summary>
    internal TimeSpan FrameInterval
    {
        get => TimeSpan.FromMilliseconds(_feed.FrameMilliseconds);
        init => _feed.FrameMilliseconds = (int)value.TotalMilliseconds;
    }

    /// <summary>Listens, once. Throws <see cref="LinuxException"/>: EADDRINUSE where another server does.</summary>
    public void Start() => Start(() => UnixSocket.Listen(_path, Backlog));

    /// <summary>Serves, once, at a socket that listens already; it becomes this server's to close, and its path stays.</summary>
    public void Start(UnixSocket listener) => Start(() => listener);

    private void Start(Func<UnixSocket> listen)
    {
        if (_thread is not null)
        {
            throw new InvalidOperationException("The feed has been started.");
        }

        _listener = listen();
        _thread = new Thread(Run) { Name = "screen feed", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Drops every client and removes the socket. Returns once the thread has ended.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _wake.Ring();
        _thread?.Join();
        if (_listener is not null)
        {
            _listener.Unlink();
            _listener.Dispose();
        }

        _feed.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                Turn();
            }
        }
        catch (LinuxException e)
        {
            _log.LogError(e, "The screen feed at {Path} ended.", _path);
        }
        finally
        {
            foreach (FeedConnection client in _clients)
            {
                client.Dispose();
            }

            _clients.Clear();
        }
    }

    private void Turn()
    {
        bool accepting = _clients.Count < MaxClients && Environment.TickCount64 >= _acceptAgain;
        _poll.Clear();
        _poll.Add(_wake.Descriptor, PollEvents.POLLIN);
        foreach (FeedConnection client in _clients)
        {
            _poll.Add(client.Descriptor, PollEvents.POLLIN);
        }

        int listening = accepting ? _poll.Add(_listener!.Descriptor, PollEvents.POLLIN) : -1;
        _poll.Wait(_feed.Arm() ? MillisecondsToNextDeadline() : 0);
        if (_poll.Ready(0) != PollEvents.None)
        {
            // A guest shows one picture in several pieces: what is told at once costs each viewer once.
            _wake.Take();
            _poll.Wait(GatherMilliseconds);
        }

        long now = Environment.TickCount64;
        for (int i = _clients.Count - 1; i >= 0; i--)
        {
            if (_poll.Ready(i + 1) != PollEvents.None)
            {
                Serve(_clients[i], i);
            }
            else if (now >= _clients[i].Deadline && !_clients[i].IsWaiting)
            {
                Drop(i, Errno.ETIMEDOUT);
            }
        }

        Tell();

        if (listening >= 0 && _poll.Ready(listening) != PollEvents.None)
        {
            Accept();
        }
    }

    private void Serve(FeedConnection client, int index)
    {
        Errno ended = client.Receive(out bool served);
        if (ended != Errno.None)
        {
            Drop(index, ended);
        }
        else if (served)
        {
            client.Deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        }
    }

    // Answers the frames that there is something new for.
    private void Tell()
    {
        _feed.Collect();
        for (int i = _clients.Count - 1; i >= 0; i--)
        {
            Errno ended = _clients[i].Tell(Environment.TickCount64, out bool told);
            if (ended != Errno.None)
            {
                Drop(i, ended);
            }
            else if (told)
            {
                _clients[i].Deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
            }
        }
    }

    private void Accept()
    {
        try
        {
            if (_listener!.Accept() is UnixSocket socket)
            {
                _clients.Add(new FeedConnection(socket, _feed) { Deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds });
            }
        }
        catch (LinuxException e) when (e.Errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM)
        {
            // The client stays in the backlog until there is room.
            _acceptAgain = Environment.TickCount64 + AcceptPauseMilliseconds;
            Warn(e.Errno);
        }
    }

    private void Drop(int index, Errno reason)
    {
        _clients[index].Dispose();
        _clients.RemoveAt(index);
        if (reason is not (Errno.ENOTCONN or Errno.ECONNRESET or Errno.EPIPE))
        {
            Warn(reason);
        }
    }

    private void Warn(Errno reason)
    {
        long now = Environment.TickCount64;
        if (now >= _warnAgain)
        {
            _warnAgain = now + WarnEveryMilliseconds;
            _log.LogWarning("A client of the screen feed at {Path} was dropped: {Reason}.", _path, reason);
        }
    }

    private int MillisecondsToNextDeadline()
    {
        long next = _clients.Count < MaxClients && _acceptAgain > Environment.TickCount64 ? _acceptAgain : long.MaxValue;
        foreach (FeedConnection client in _clients)
        {
            next = Math.Min(next, client.IsWaiting ? client.NextTell : client.Deadline);
        }

        return next == long.MaxValue ? -1 : (int)Math.Clamp(next - Environment.TickCount64, 0, int.MaxValue);
    }
}
