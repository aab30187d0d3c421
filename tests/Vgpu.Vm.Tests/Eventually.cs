using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>Waits for what a guest does in its own time: woken by what is drawn, bounded by a deadline.</summary>
public sealed class Eventually : IHeadObserver, IDisposable
{
    private readonly AutoResetEvent _changed = new(false);
    private readonly IDisposable _observation;

    private Eventually(Head head) => _observation = head.Observe(this);

    /// <summary>Returns once <paramref name="condition"/> holds, looked at after each change of the head; fails the test at the deadline.</summary>
    public static void Shows(Head head, Func<Picture, bool> condition, string what, int timeoutSeconds = 60)
    {
        using var waiting = new Eventually(head);
        long deadline = Environment.TickCount64 + (timeoutSeconds * 1000L);
        while (true)
        {
            if (head.Capture(withCursor: false) is Picture picture && condition(picture))
            {
                return;
            }

            Assert.True(Environment.TickCount64 < deadline, $"after {timeoutSeconds} s the screen does not show {what}");
            waiting._changed.WaitOne(250);
        }
    }

    /// <summary>
    /// Returns once the head shows this picture, which a guest may have handed over and not waited for; fails the test
    /// at the deadline and says where they differ.
    /// </summary>
    public static void ShowsExactly(Head head, Picture expected, int timeoutSeconds = 30)
    {
        using var waiting = new Eventually(head);
        long deadline = Environment.TickCount64 + (timeoutSeconds * 1000L);
        while (Environment.TickCount64 < deadline)
        {
            if (head.Capture(withCursor: false) is Picture picture && PictureAssert.AreSame(expected, picture))
            {
                return;
            }

            waiting._changed.WaitOne(250);
        }

        Picture? last = head.Capture(withCursor: false);
        Assert.NotNull(last);
        PictureAssert.Same(expected, last);
    }

    public void SurfaceChanged(Head head) => _changed.Set();

    public void Damaged(Head head, Rect rect) => _changed.Set();

    public void CursorChanged(Head head) => _changed.Set();

    public void Dispose()
    {
        _observation.Dispose();
        _changed.Dispose();
    }
}
