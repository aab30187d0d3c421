using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>Keeps what a head reports, in order, until disposed.</summary>
public sealed class HeadRecord : IHeadObserver, IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Rect> _damage = [];
    private readonly List<(int X, int Y)> _cursorPlaces = [];
    private readonly IDisposable _observation;

    public HeadRecord(Head head) => _observation = head.Observe(this);

    /// <summary>Every rectangle of damage so far.</summary>
    public IReadOnlyList<Rect> Damage
    {
        get
        {
            lock (_lock)
            {
                return [.. _damage];
            }
        }
    }

    /// <summary>Where the cursor's hot spot has been, while there was a cursor.</summary>
    public IReadOnlyList<(int X, int Y)> CursorPlaces
    {
        get
        {
            lock (_lock)
            {
                return [.. _cursorPlaces];
            }
        }
    }

    public void SurfaceChanged(Head head)
    {
        // What is shown is damaged as the guest flushes it.
    }

    public void Damaged(Head head, Rect rect)
    {
        lock (_lock)
        {
            _damage.Add(rect);
        }
    }

    public void CursorChanged(Head head)
    {
        (CursorImage? image, int x, int y) = head.Cursor;
        if (image is not null)
        {
            lock (_lock)
            {
                _cursorPlaces.Add((x, y));
            }
        }
    }

    public void Dispose() => _observation.Dispose();
}
