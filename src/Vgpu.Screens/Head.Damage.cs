// What a device draws, and who hears of it.
namespace Vgpu.Screens;

public sealed partial class Head
{
    private const int MostAtOnce = 32;

    /// <summary>
    /// Raised once for each flush that damaged something, however many rectangles it had: the device has shown a frame. Without the
    /// lock, on the device's thread or that of whoever looked for changes; a handler returns at once.
    /// </summary>
    public event Action<Head>? FrameShown;

    /// <summary>The device has drawn: damage in surface coordinates, clipped here; nothing where nothing is left. Allocates nothing.</summary>
    public void Flush(Rect damage) => Flush([damage]);

    /// <summary>The same for several parts of one picture.</summary>
    public void Flush(ReadOnlySpan<Rect> damage)
    {
        Span<Rect> within = stackalloc Rect[MostAtOnce];
        bool isShown = false;
        for (; damage.Length > MostAtOnce; damage = damage[MostAtOnce..])
        {
            isShown |= TryDamage(damage[..MostAtOnce], within);
        }

        if (TryDamage(damage, within) || isShown)
        {
            FrameShown?.Invoke(this);
        }
    }

    /// <summary>The same for what was shown before and is shown again, such as after a take-over: it is no new frame.</summary>
    public void Redraw(Rect damage) => TryDamage([damage], stackalloc Rect[1]);

    // False where nothing of it is shown.
    private bool TryDamage(ReadOnlySpan<Rect> damage, Span<Rect> within)
    {
        int count = 0;
        lock (_lock)
        {
            foreach (Rect rect in damage)
            {
                Rect part = rect.Intersect(_surface?.Bounds ?? default);
                if (!part.IsEmpty)
                {
                    within[count++] = part;
                }
            }

            _generation += count == 0 ? 0u : 1;
        }

        if (count == 0)
        {
            return false;
        }

        foreach (IHeadObserver observer in Volatile.Read(ref _observers))
        {
            observer.Damaged(this, within[..count]);
        }

        return true;
    }
}
