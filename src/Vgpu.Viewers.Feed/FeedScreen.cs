using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// A screen as the feed's connections see it together. The feed's thread, which waits at wake.
internal sealed class FeedScreen : IDisposable
{
    private readonly HeadFeed[] _heads;

    internal FeedScreen(Screen screen, Bell wake)
    {
        Screen = screen;
        _heads = new HeadFeed[screen.Heads.Count];
        for (int i = 0; i < _heads.Length; i++)
        {
            _heads[i] = new HeadFeed(screen.Heads[i], wake, CountCopied);
        }
    }

    internal Screen Screen { get; }

    /// <summary>Told of pixels that were copied for clients, in bytes.</summary>
    internal Action<long>? Copied { get; set; }

    /// <summary>The least time between two frames of one head for one client: somewhat more than guests draw.</summary>
    internal int FrameMilliseconds { get; set; } = 8;

    /// <summary>Milliseconds of a clock that only goes on.</summary>
    internal Func<long> Clock { get; init; } = static () => Environment.TickCount64;

    internal HeadFeed Head(int index) => _heads[index];

    internal void CountCopied(long bytes) => Copied?.Invoke(bytes);

    /// <summary>Takes what has happened on all heads.</summary>
    internal void Collect()
    {
        foreach (HeadFeed head in _heads)
        {
            head.Collect();
        }
    }

    /// <summary>Whatever happens next wakes the thread; false where something has happened already.</summary>
    internal bool Arm()
    {
        bool isQuiet = true;
        foreach (HeadFeed head in _heads)
        {
            isQuiet &= !head.IsAwaited || head.Arm();
        }

        return isQuiet;
    }

    public void Dispose()
    {
        foreach (HeadFeed head in _heads)
        {
            head.Dispose();
        }
    }
}
