namespace Vgpu.Screens;

/// <summary>
/// Hears what happens on a head. Called without the head's lock, on the thread that drew: it returns at once and keeps
/// its own record of damage (<see cref="DamageRegion"/>). Calls may overlap where several threads draw, and one
/// may be under way yet when its observation was disposed of.
/// </summary>
public interface IHeadObserver
{
    /// <summary>Another surface is shown, or none: all of it is damaged.</summary>
    void SurfaceChanged(Head head);

    /// <summary>This part of the surface has new pixels; within the surface, never empty.</summary>
    void Damaged(Head head, Rect rect);

    /// <summary>All of these parts have, at once: who wakes somebody for it does so once.</summary>
    void Damaged(Head head, ReadOnlySpan<Rect> rects)
    {
        foreach (Rect rect in rects)
        {
            Damaged(head, rect);
        }
    }

    /// <summary>The cursor's picture or place changed.</summary>
    void CursorChanged(Head head);
}
