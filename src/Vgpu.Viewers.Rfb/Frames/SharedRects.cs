using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Rectangles of the picture as it is now, encoded once for all viewers that take them alike: in forms of Tight that depend on
/// nothing that was sent before. Its memory is bounded. Any thread, with the frame's lock for reading held but for what says
/// otherwise.
/// </summary>
internal sealed class SharedRects(IPictureCodecs? codecs) : IDisposable
{
    /// <summary>Smaller ones are soon made, and shorter in a viewer's own streams.</summary>
    internal const int MinArea = 64 * 64;

    private const int MostRects = 512;
    private const int MostSpare = 64;
    private const long MostBytes = 16 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Rect Rect, RfbPixelFormat Format, Loss Loss, int Level), SharedRect> _rects = [];
    private readonly Stack<SharedRect> _spare = [];
    private readonly Dictionary<int, Stack<TightEncoder>> _encoders = [];
    private long _bytes;

    /// <summary>As <see cref="IRectEncoder.Encode"/>.</summary>
    internal bool Encode(PixelBlock block, Rect rect, ViewerFormat format, Loss loss, int level, OutputBuffer to)
    {
        SharedRect shared = Find((rect, format.Format, loss, level));
        lock (shared)
        {
            if (!shared.IsMade)
            {
                Make(shared, block, format, loss, level);
            }

            to.Bytes(shared.Bytes.Written.Span);
            return shared.IsExact;
        }
    }

    /// <summary>The picture has changed. With the frame's lock for writing held.</summary>
    internal void Clear()
    {
        lock (_lock)
        {
            foreach (SharedRect rect in _rects.Values)
            {
                if (_spare.Count < MostSpare)
                {
                    rect.Clear();
                    _spare.Push(rect);
                }
                else
                {
                    rect.Dispose();
                }
            }

            _rects.Clear();
            _bytes = 0;
        }
    }

    /// <summary>Lets go of all memory. With the frame's lock for writing held.</summary>
    public void Dispose()
    {
        Clear();
        lock (_lock)
        {
            while (_spare.TryPop(out SharedRect? rect))
            {
                rect.Dispose();
            }

            foreach (TightEncoder encoder in _encoders.Values.SelectMany(encoders => encoders))
            {
                encoder.Dispose();
            }

            _encoders.Clear();
        }
    }

    private SharedRect Find((Rect, RfbPixelFormat, Loss, int) key)
    {
        lock (_lock)
        {
            if (_rects.TryGetValue(key, out SharedRect? shared))
            {
                return shared;
            }

            if (_bytes > MostBytes || _rects.Count >= MostRects)
            {
                // Beyond the bound it is made for this viewer alone.
                return new SharedRect();
            }

            shared = _spare.TryPop(out SharedRect? spare) ? spare : new SharedRect();
            _rects.Add(key, shared);
            return shared;
        }
    }

    private void Make(SharedRect shared, PixelBlock block, ViewerFormat format, Loss loss, int level)
    {
        TightEncoder encoder = Rent(level);
        shared.Clear();
        shared.IsExact = encoder.Encode(block, format, loss, shared.Bytes);
        shared.IsMade = true;
        lock (_lock)
        {
            _encoders[level].Push(encoder);
            _bytes += shared.Bytes.Length;
        }
    }

    private TightEncoder Rent(int level)
    {
        lock (_lock)
        {
            if (!_encoders.TryGetValue(level, out Stack<TightEncoder>? encoders))
            {
                _encoders.Add(level, encoders = []);
            }

            return encoders.TryPop(out TightEncoder? encoder) ? encoder : new TightEncoder(level, codecs?.TryJpeg(), isAlone: true);
        }
    }
}
