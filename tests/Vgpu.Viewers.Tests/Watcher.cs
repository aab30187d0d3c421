using Vgpu.Screens;

namespace Vgpu.Viewers.Tests;

// Observes a head as a viewer does, and waits for what it should show.
internal sealed class Watcher : IHeadObserver, IDisposable
{
    private readonly HeadChanges _changes;
    private readonly Head _head;
    private readonly IDisposable _observation;

    internal Watcher(Head head)
    {
        _head = head;
        _observation = head.Observe(this);
        _changes = new HeadChanges(head);
    }

    internal int Surfaces { get; private set; }

    internal void Shows(Head expected, bool withCursor = false) => Holds(
        () => _head.Capture(withCursor) is var shown && expected.Capture(withCursor) is var wanted
            && (shown is null ? wanted is null : wanted is not null && (shown.Width, shown.Height) == (wanted.Width, wanted.Height) && shown.Pixels.Span.SequenceEqual(wanted.Pixels.Span)),
        "the mirror shows the picture");

    internal void Holds(Func<bool> condition, string what)
    {
        long deadline = Environment.TickCount64 + 20_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"not within 20 s: {what}");
            _ = _changes.Changed.WaitOne(20);
        }
    }

    public void SurfaceChanged(Head head) => Surfaces++;

    public void Damaged(Head head, Rect rect)
    {
    }

    public void CursorChanged(Head head)
    {
    }

    public void Dispose()
    {
        _observation.Dispose();
        _changes.Dispose();
    }
}
