using Vgpu.Screens;

namespace Vgpu.Cli;

/// <summary>Waits until nothing has been drawn on a head for a while: a guest's console draws on after the guest has spoken.</summary>
internal sealed class QuietHead : IHeadObserver, IDisposable
{
    private readonly AutoResetEvent _drawn = new(false);
    private readonly IDisposable _observation;

    internal QuietHead(Head head) => _observation = head.Observe(this);

    public void SurfaceChanged(Head head) => _drawn.Set();

    public void Damaged(Head head, Rect rect) => _drawn.Set();

    public void CursorChanged(Head head)
    {
    }

    public void Dispose()
    {
        _observation.Dispose();
        _drawn.Dispose();
    }

    /// <summary>
    /// Returns once nothing was drawn for <paramref name="quiet"/>, <paramref name="atMost"/> has passed or
    /// <paramref name="ended"/> is set.
    /// </summary>
    internal void Wait(TimeSpan quiet, TimeSpan atMost, WaitHandle ended)
    {
        long deadline = Environment.TickCount64 + (long)atMost.TotalMilliseconds;
        while (Environment.TickCount64 < deadline && WaitHandle.WaitAny([ended, _drawn], quiet) == 1)
        {
        }
    }
}
