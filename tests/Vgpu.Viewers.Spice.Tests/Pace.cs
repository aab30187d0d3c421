using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>Another viewer of the same feed: what it has heard of, the SPICE process hears of too, as a drawing of its own.</summary>
internal sealed class Pace : IHeadObserver, IDisposable
{
    private readonly AutoResetEvent _heard = new(false);
    private readonly RemoteScreen _mirror;
    private readonly IDisposable _observation;

    public Pace(string feed)
    {
        _mirror = RemoteScreen.Connect(feed, NullLogger.Instance);
        _observation = _mirror.Screen.Heads[0].Observe(this);
    }

    public void Wait() => Assert.True(_heard.WaitOne(TimeSpan.FromSeconds(20)), "the feed says nothing");

    public void SurfaceChanged(Head head) => _heard.Set();

    public void Damaged(Head head, Rect rect) => _heard.Set();

    public void CursorChanged(Head head)
    {
    }

    public void Dispose()
    {
        _observation.Dispose();
        _mirror.Dispose();
        _heard.Dispose();
    }
}
