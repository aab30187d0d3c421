using Vgpu.Linux;

namespace Vgpu.Viewers.Feed;

// Wakes a thread that polls, and may be rung when that thread and its descriptor are gone. Any thread.
internal sealed class Bell : IDisposable
{
    private readonly Lock _lock = new();
    private readonly EventFd _event = EventFd.Create();
    private bool _isGone;

    internal FileDescriptor Descriptor => _event.Descriptor;

    internal void Ring()
    {
        lock (_lock)
        {
            if (!_isGone)
            {
                _event.Signal();
            }
        }
    }

    /// <summary>Takes the rings that were heard. The thread that polls.</summary>
    internal void Take() => _event.Take();

    /// <summary>Waits for a ring; false when <paramref name="milliseconds"/> passed. The thread that polls.</summary>
    internal bool Wait(int milliseconds) => _event.Wait(milliseconds);

    public void Dispose()
    {
        lock (_lock)
        {
            _isGone = true;
            _event.Dispose();
        }
    }
}
