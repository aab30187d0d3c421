using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// What moves, as one H.264 stream for all viewers that know Open H.264 (rfbproto, encoding 50): each picture is made once.
/// The last few are kept, so that a viewer that is a little behind goes on with them; one that is further behind, or new,
/// begins at a key frame, which is made now and then. Any thread, with the frame's lock for reading held.
/// </summary>
internal sealed class FilmStream(IPictureCodecs codecs, Rect area) : IDisposable
{
    private const int Kept = 8;
    private const int MostKeptBytes = 4 << 20;
    private const long MillisecondsBetweenKeys = 2000;
    private const int Quality = 65;
    private const uint ResetContexts = 3;
    private const int HeaderSize = 12;
    private const int FlagsAt = HeaderSize + sizeof(uint);

    private readonly Lock _lock = new();
    private readonly OutputBuffer?[] _pictures = new OutputBuffer?[Kept];
    private IH264Encoder? _encoder;
    private ulong _next;
    private ulong _oldest;
    private ulong _key;
    private long _lastKey;
    private int _keptBytes;
    private volatile bool _isStale = true;

    internal Rect Area => area;

    /// <summary>This host can make no film of this size.</summary>
    internal bool IsMissing { get; private set; }

    /// <summary>The frame has changed in these places. With its lock for writing held.</summary>
    internal void Changed(ReadOnlySpan<Move> moves, ReadOnlySpan<Rect> rects)
    {
        foreach (Move move in moves)
        {
            _isStale |= !move.Target.Intersect(area).IsEmpty;
        }

        foreach (Rect rect in rects)
        {
            _isStale |= !rect.Intersect(area).IsEmpty;
        }
    }

    /// <summary>
    /// Appends whole rectangles, headers included, after which a viewer sees the area as it is; how many. None where it can't
    /// be shown a film now.
    /// </summary>
    internal int Append(ref FilmSeat seat, PixelBlock block, long now, OutputBuffer to)
    {
        lock (_lock)
        {
            bool isBehind = seat.Stream != this || seat.Next < _oldest;
            bool needsKey = isBehind && (_next == 0 || _key < _oldest || _next - _key >= Kept);
            if (IsMissing || (needsKey && _next != 0 && now - _lastKey < MillisecondsBetweenKeys))
            {
                return 0;
            }

            if ((_isStale || needsKey) && !TryMake(block, needsKey, now))
            {
                return 0;
            }

            // Making one may have pushed out what it would have begun with.
            ulong from = isBehind ? _key : seat.Next;
            if (from < _oldest)
            {
                return 0;
            }

            for (ulong number = from; number < _next; number++)
            {
                int start = to.Length;
                to.Bytes(_pictures[number % Kept]!.Written.Span);
                if (isBehind && number == from)
                {
                    to.SetU32(start + FlagsAt, ResetContexts);
                }
            }

            seat = new FilmSeat(this, _next);
            return (int)(_next - from);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _encoder?.Dispose();
            _encoder = null;
            IsMissing = true;
            foreach (OutputBuffer? picture in _pictures)
            {
                picture?.Dispose();
            }
        }
    }

    private bool TryMake(PixelBlock block, bool isKey, long now)
    {
        _encoder ??= codecs.TryH264(area.Width, area.Height, new H264Settings { Quality = Quality, IsFilm = true });
        if (_encoder is null)
        {
            IsMissing = true;
            return false;
        }

        OutputBuffer picture = _pictures[_next % Kept] ??= new OutputBuffer();
        if (_next - _oldest == Kept)
        {
            DropOldest();
        }

        picture.Clear();
        picture.U16(area.X);
        picture.U16(area.Y);
        picture.U16(area.Width);
        picture.U16(area.Height);
        picture.U32(RfbProtocol.EncodingOpenH264);
        picture.U32(0);
        picture.U32(0);
        try
        {
            isKey = _encoder.Encode(MemoryMarshal.AsBytes(block.Pixels), block.Stride * Surface.BytesPerPixel, isKey, picture);
        }
        catch (InvalidOperationException)
        {
            // The library refuses: the other encodings take anything.
            IsMissing = true;
            return false;
        }

        picture.SetU32(HeaderSize, (uint)(picture.Length - FlagsAt - sizeof(uint)));
        _isStale = false;
        if (isKey)
        {
            (_key, _lastKey) = (_next, now);
        }

        _next++;
        _keptBytes += picture.Length;
        while (_keptBytes > MostKeptBytes && _next - _oldest > 1)
        {
            DropOldest();
        }

        return true;
    }

    private void DropOldest() => _keptBytes -= _pictures[_oldest++ % Kept]!.Length;
}
