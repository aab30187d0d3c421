using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// The part of the screen that moves like a film, which a viewer that knows Open H.264 (rfbproto, encoding 50) is sent as
/// one: found by how often fields of the screen change for the most part, and given up once they are still. Not thread-safe.
/// </summary>
internal sealed class VideoArea(IPictureCodecs codecs) : IDisposable
{
    private const int Side = 256;
    private const int MinChange = 128 * 96;
    private const int MinStreak = 10;
    private const long MostBetween = 250;
    private const long StillMilliseconds = 500;
    private const int MinSide = 64;
    private const uint ResetContexts = 3;
    private const int DefaultQuality = 75;

    private readonly Dictionary<(int X, int Y), (int Streak, long Last, Rect Changed)> _fields = [];
    private IH264Encoder? _encoder;
    private bool _isNew;
    private bool _isMissing;

    /// <summary>Where it is; empty where nothing moves.</summary>
    internal Rect Area { get; private set; }

    /// <summary>An update changes these places now: where the film is from now on.</summary>
    internal void Observe(List<Rect> damage, Rect bounds, long now)
    {
        foreach (Rect rect in damage)
        {
            for (int y = rect.Y / Side; y * Side < rect.Bottom; y++)
            {
                for (int x = rect.X / Side; x * Side < rect.Right; x++)
                {
                    Note((x, y), rect.Intersect(new Rect(x * Side, y * Side, Side, Side)), now);
                }
            }
        }

        Rect moving = default;
        foreach ((int streak, long last, Rect changed) in _fields.Values)
        {
            if (streak >= MinStreak && now - last <= StillMilliseconds)
            {
                moving = moving.Union(changed);
            }
        }

        moving = moving.Intersect(bounds);
        if (moving.IsEmpty)
        {
            End();
        }
        else if (!Area.Contains(moving) && moving is { Width: >= MinSide, Height: >= MinSide })
        {
            Begin(moving.Union(Area).Intersect(bounds));
        }
    }

    /// <summary>Ends it, and forgets what moved: the screen is another one.</summary>
    internal void Clear()
    {
        End();
        _fields.Clear();
    }

    /// <summary>Appends a picture's data, without the rectangle's header; false, with nothing appended, where that fails.</summary>
    internal bool TryEncode(PixelBlock block, OutputBuffer to)
    {
        int start = to.Length;
        to.U32(0);
        to.U32(_isNew ? ResetContexts : 0);
        try
        {
            _encoder!.Encode(MemoryMarshal.AsBytes(block.Pixels), block.Stride * Surface.BytesPerPixel, _isNew, to);
        }
        catch (InvalidOperationException)
        {
            // The library refuses: the other encodings take anything.
            to.Truncate(start);
            _isMissing = true;
            Clear();
            return false;
        }

        to.SetU32(start, (uint)(to.Length - start - 8));
        _isNew = false;
        return true;
    }

    public void Dispose() => End();

    // Small changes, such as a cursor that blinks or what is typed, are no film.
    private void Note((int X, int Y) key, Rect part, long now)
    {
        if (part.Area < MinChange)
        {
            return;
        }

        (int streak, long last, Rect changed) = _fields.GetValueOrDefault(key);
        if (last == now)
        {
            _fields[key] = (streak, now, part.Union(changed));
            return;
        }

        // Where it is counts from half of the way on: before, all of the screen may have been painted.
        streak = now - last > MostBetween ? 0 : streak + 1;
        _fields[key] = (streak, now, streak <= MinStreak / 2 ? part : part.Union(changed));
    }

    private void Begin(Rect area)
    {
        End();
        _encoder = _isMissing ? null : codecs.TryH264(area.Width, area.Height, new H264Settings { Quality = DefaultQuality });
        _isMissing = _encoder is null;
        Area = _isMissing ? default : area;
        _isNew = true;
    }

    private void End()
    {
        _encoder?.Dispose();
        _encoder = null;
        Area = default;
    }
}
