using System.Diagnostics;
using Vgpu.Screens;

namespace Vgpu.Viewers.Recording;

/// <summary>
/// Records what a head shows. A picture is taken when something was drawn, at most so many times a second, and once a second
/// otherwise; it goes into the film when the next is there, as only then it is known how long it was shown. Where the mode
/// changes, what is shown is fitted into the size of the first picture.
/// </summary>
public sealed class HeadRecorder : IHeadObserver
{
    private static readonly TimeSpan s_pulse = TimeSpan.FromSeconds(1);
    private readonly object _gate = new();
    private readonly Head _head;
    private readonly TimeSpan _interval;
    private byte[] _captured = [];
    private byte[] _pending = [];
    private bool _isDamaged = true;
    private bool _isEnded;

    /// <summary><paramref name="framesPerSecond"/> is the most, 1 to 240.</summary>
    public HeadRecorder(Head head, int framesPerSecond = 30)
    {
        ArgumentNullException.ThrowIfNull(head);
        ArgumentOutOfRangeException.ThrowIfLessThan(framesPerSecond, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(framesPerSecond, 240);
        _head = head;
        _interval = TimeSpan.FromSeconds(1.0 / framesPerSecond);
    }

    /// <summary>Raised on the recording thread for each picture that is in the film: how many, and how long it is.</summary>
    public event Action<long, TimeSpan>? Recorded;

    /// <summary>
    /// Records until <paramref name="end"/> or for <paramref name="duration"/>, which begins anew with the first picture, on this thread,
    /// and finishes the film that <paramref name="start"/> makes, given the first picture's width and height. Returns the
    /// pictures recorded; 0, with no film started, where nothing was shown. Throws what the film throws.
    /// </summary>
    public long Record(Func<int, int, IRecording> start, TimeSpan? duration, CancellationToken end)
    {
        ArgumentNullException.ThrowIfNull(start);
        using CancellationTokenRegistration registration = end.Register(End);
        using IDisposable observation = _head.Observe(this);
        IRecording? film = null;
        try
        {
            return Film(start, ref film, duration);
        }
        finally
        {
            film?.Dispose();
        }
    }

    void IHeadObserver.SurfaceChanged(Head head) => Damage();

    void IHeadObserver.Damaged(Head head, Rect rect) => Damage();

    void IHeadObserver.CursorChanged(Head head) => Damage();

    private long Film(Func<int, int, IRecording> start, ref IRecording? film, TimeSpan? duration)
    {
        long pictures = 0;
        long begun = Stopwatch.GetTimestamp();
        var at = TimeSpan.Zero;
        while (WaitForPicture(film is not null, duration - Stopwatch.GetElapsedTime(begun)))
        {
            if (!TryCapture(out int width, out int height))
            {
                continue;
            }

            long now = Stopwatch.GetTimestamp();
            if (film is null)
            {
                film = start(width, height);
                begun = now;
                _pending = new byte[film.Width * film.Height * Surface.BytesPerPixel];
            }
            else
            {
                Add(film, ref at, Stopwatch.GetElapsedTime(begun, now), ++pictures);
            }

            Letterbox.Fit(_captured.AsSpan(0, width * height * Surface.BytesPerPixel), width, height, _pending, film.Width, film.Height);
        }

        if (film is not null)
        {
            // The last one is shown for a frame at least.
            TimeSpan last = Stopwatch.GetElapsedTime(begun);
            Add(film, ref at, last > at + _interval ? last : at + _interval, ++pictures);
            film.Finish();
        }

        return pictures;
    }

    private void Add(IRecording film, ref TimeSpan at, TimeSpan until, long pictures)
    {
        film.Add(_pending, until - at);
        at = until;
        Recorded?.Invoke(pictures, at);
    }

    // False: it is over. Else it is time for a picture: not before an interval has gone by, then at once where something was
    // drawn, or when the second is over.
    private bool WaitForPicture(bool isFilming, TimeSpan? left)
    {
        long since = Stopwatch.GetTimestamp();
        TimeSpan rest = left ?? TimeSpan.MaxValue;
        lock (_gate)
        {
            while (!_isEnded)
            {
                TimeSpan gone = Stopwatch.GetElapsedTime(since);
                if (gone >= rest)
                {
                    return false;
                }

                TimeSpan due = isFilming && !_isDamaged ? s_pulse : isFilming ? _interval : _isDamaged ? TimeSpan.Zero : Timeout.InfiniteTimeSpan;
                if (due >= TimeSpan.Zero && gone >= due)
                {
                    _isDamaged = false;
                    return true;
                }

                TimeSpan wait = due < TimeSpan.Zero ? s_pulse : due - gone;
                wait = wait < rest - gone ? wait : rest - gone;
                Monitor.Wait(_gate, (int)wait.TotalMilliseconds + 1);
            }
        }

        return false;
    }

    private bool TryCapture(out int width, out int height)
    {
        while (!_head.TryCapture(withCursor: true, _captured, out width, out height))
        {
            if (width == 0)
            {
                return false;
            }

            _captured = new byte[width * height * Surface.BytesPerPixel];
        }

        return true;
    }

    private void Damage()
    {
        lock (_gate)
        {
            _isDamaged = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            Monitor.PulseAll(_gate);
        }
    }
}
