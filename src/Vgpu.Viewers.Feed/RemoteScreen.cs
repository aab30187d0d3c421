using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

/// <summary>
/// The screen of another process, as a <see cref="Screens.Screen"/> here: viewers see no difference. Pictures come while
/// somebody observes a head or captures it; otherwise the two sides say a word when the mode changes, and twice a minute.
/// What viewers do (<see cref="Screen.Input"/>, <see cref="Head.RequestMode"/>) goes to the other side. Where that goes away the
/// last picture stays, and whoever listens at the same path next takes its place. Its pixels are the other side's memory,
/// mapped read-only: writing to them faults.
/// </summary>
public sealed class RemoteScreen : IDisposable
{
    private const int LeastBackOff = 10;
    private const int MostBackOff = 1000;
    private const int WarnEveryMilliseconds = 60_000;
    private const int FirstMinorVersion = 1;

    private static readonly DisplayMode s_any = new(DisplayMode.MaxSize, DisplayMode.MaxSize);

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly TimeSpan _timeout;
    private readonly ILogger _log;
    private readonly Bell _wake = new();
    private readonly InputQueue _input;
    private readonly RemoteHead[] _heads;
    private readonly Thread _thread;
    private ScreenFeedClient? _client;
    private volatile bool _stopping;
    private volatile bool _isConnected;
    private long _warnAgain = long.MinValue;

    private RemoteScreen(string path, ScreenFeedClient client, IReadOnlyList<FeedHeadInfo> heads, TimeSpan timeout, ILogger log)
    {
        _path = path;
        _client = client;
        _timeout = timeout;
        _log = log;
        _input = new InputQueue(_wake);
        Screen = new Screen(heads.Count, heads[0].State.PreferredMode, heads[0].MaxMode) { Input = _input };
        _heads = new RemoteHead[heads.Count];
        _thread = new Thread(Run) { Name = "remote screen", IsBackground = true };
        for (int i = 0; i < _heads.Length; i++)
        {
            Screen.Heads[i].RequestMode(heads[i].State.PreferredMode);
            Screen.Heads[i].SetConnected(heads[i].State.IsConnected);
            _heads[i] = new RemoteHead(Screen.Heads[i], _wake) { Owner = _thread.ManagedThreadId };
        }
    }

    /// <summary>The mirror. The same object until <see cref="Dispose"/>, whoever is at the other side.</summary>
    public Screen Screen { get; }

    /// <summary>Whether the other side is there now.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>
    /// Mirrors the screen whose feed is at <paramref name="path"/>. Throws <see cref="LinuxException"/> where nobody
    /// listens there now, and <see cref="ScreenFeedException"/> for who is no feed, or too old a one (ENOSYS).
    /// </summary>
    /// <param name="path">At most 107 bytes long (unix(7)).</param>
    /// <param name="log">Hears when the other side goes, or misbehaves.</param>
    /// <param name="timeout">How long the other side may take for its greeting; 5 s where left out.</param>
    public static RemoteScreen Connect(string path, ILogger log, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(log);
        TimeSpan patience = timeout ?? TimeSpan.FromSeconds(5);
        var client = ScreenFeedClient.Connect(path, patience);
        try
        {
            var screen = new RemoteScreen(path, client, Greet(client), patience, log);
            screen._thread.Start();
            return screen;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Ends it: the mirror shows nothing, and takes no input. Returns once its thread has ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            _client?.Socket.Shutdown();
        }

        _wake.Ring();
        if (Environment.CurrentManagedThreadId != _thread.ManagedThreadId)
        {
            _thread.Join();
        }

        Screen.Input = null;
        foreach (RemoteHead head in _heads)
        {
            head.Dispose();
        }

        _wake.Dispose();
    }

    // What it says of its heads, which a Screen has to hold.
    private static IReadOnlyList<FeedHeadInfo> Greet(ScreenFeedClient client)
    {
        if (client.MinorVersion < FirstMinorVersion)
        {
            throw new ScreenFeedException("The screen feed is too old to be followed.", Errno.ENOSYS);
        }

        IReadOnlyList<FeedHeadInfo> heads = client.Heads();
        bool isSound = heads.Count is >= 1 and <= Screen.MaxHeads;
        for (int i = 0; i < heads.Count; i++)
        {
            isSound &= heads[i].Index == i && heads[i].State.PreferredMode.IsValid && (heads[i].MaxMode ?? s_any).IsValid;
        }

        return isSound ? heads : throw new ScreenFeedException("The screen feed sent heads that can't be.");
    }

    private void Run()
    {
        int backOff = LeastBackOff;
        while (!_stopping)
        {
            long begun = Environment.TickCount64;
            try
            {
                Follow(_client ?? Reconnect());
            }
            catch (Exception e) when (e is LinuxException or ScreenFeedException)
            {
                Say(e);
            }
            finally
            {
                Leave();
            }

            backOff = Environment.TickCount64 - begun > MostBackOff ? LeastBackOff : Math.Min(backOff * 2, MostBackOff);
            Pause(backOff);
        }
    }

    private void Follow(ScreenFeedClient client)
    {
        using var connection = new RemoteConnection(client.Socket, _wake, _input, _heads);
        SetConnected(true);
        while (!_stopping)
        {
            connection.Turn();
        }
    }

    private ScreenFeedClient Reconnect()
    {
        var client = ScreenFeedClient.Connect(_path, _timeout);
        lock (_lock)
        {
            _client = client;
            if (_stopping)
            {
                throw new ScreenFeedException("The mirror is gone.", Errno.ENOTCONN);
            }
        }

        return Greet(client).Count == _heads.Length ? client : throw new ScreenFeedException("The screen feed has another number of heads than before.");
    }

    private void Leave()
    {
        SetConnected(false);
        lock (_lock)
        {
            _client?.Dispose();
            _client = null;
        }
    }

    private void SetConnected(bool isConnected)
    {
        _isConnected = isConnected;
        foreach (RemoteHead head in _heads)
        {
            head.SetConnected(isConnected);
        }
    }

    private void Pause(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (!_stopping && end - Environment.TickCount64 is var left and > 0)
        {
            _wake.Wait((int)left);
            _wake.Take();
        }
    }

    // Whoever goes away is looked for again; one that misbehaves is worth more than a word.
    private void Say(Exception e)
    {
        long now = Environment.TickCount64;
        if (_stopping || now < _warnAgain)
        {
            return;
        }

        _warnAgain = now + WarnEveryMilliseconds;
        LogLevel level = e is ScreenFeedException { Errno: Errno.EPROTO } ? LogLevel.Warning : LogLevel.Information;
        _log.Log(level, "The screen at {Path} is away: {Reason}", _path, e.Message);
    }
}
