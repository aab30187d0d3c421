using System.Runtime.CompilerServices;
using Vgpu.Screens;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// Pixels on their way to the library: copies of what was damaged, as QXL_DRAW_COPY, few at a time. What is drawn while
// they wait is damage again, not another command, so a slow client makes nothing grow.
internal sealed unsafe class QxlDrawables : IDisposable
{
    // The library keeps some 400 of them before it lets go of the first.
    private const int MostDrawables = 448;
    private const long MostBytes = 128L << 20;
    private const long MostBytesOfOne = 64L << 20;
    private const int MostRects = 16;

    private readonly Lock _lock = new();
    private readonly CommandPool _pool = new(MostDrawables, MostBytes);
    private readonly Queue<nint> _ready = new();
    private readonly DamageRegion _damage = new(MostRects);
    private readonly Rect[] _taken = new Rect[MostRects];
    private uint _lastImage;

    /// <summary>Remembers damage; true where nothing waited before, so that somebody has to be woken.</summary>
    internal bool Add(Rect damage)
    {
        lock (_lock)
        {
            bool wasEmpty = _damage.IsEmpty;
            _damage.Add(damage);
            return wasEmpty;
        }
    }

    /// <summary>The surface is another: what was made or damaged of the one before is of no use.</summary>
    internal void Forget()
    {
        lock (_lock)
        {
            _damage.Clear();
            while (_ready.TryDequeue(out nint drawable))
            {
                _pool.Release(((QXLDrawable*)drawable)->ReleaseId);
            }
        }
    }

    /// <summary>
    /// Makes commands of the damage, once those before are taken. The loop's thread. <paramref name="isStarved"/>: the
    /// library holds so much that there is no room.
    /// </summary>
    internal bool Make(Surface surface, out bool isStarved)
    {
        isStarved = false;
        int count;
        lock (_lock)
        {
            if (_ready.Count > 0 || _damage.IsEmpty)
            {
                return false;
            }

            _damage.Rects.CopyTo(_taken);
            count = _damage.Rects.Length;
            _damage.Clear();
        }

        bool isAny = false;
        for (int i = 0; i < count; i++)
        {
            Rect left = _taken[i].Intersect(surface.Bounds);
            int rows = (int)Math.Clamp(MostBytesOfOne / Math.Max(1, left.Width * (long)Surface.BytesPerPixel), 1, Math.Max(1, left.Height));
            while (!left.IsEmpty && !isStarved)
            {
                var band = left with { Height = Math.Min(rows, left.Height) };
                isStarved = !TryMake(surface, band);
                isAny |= !isStarved;
                left = isStarved ? left : left with { Y = band.Bottom, Height = left.Height - band.Height };
            }

            Add(left);
        }

        return isAny;
    }

    /// <summary>The next command; false where none is made. <paramref name="isHungry"/>: damage waits for this moment. The library's worker.</summary>
    internal bool TryTake(QXLCommandExt* command, out bool isHungry)
    {
        lock (_lock)
        {
            isHungry = false;
            if (!_ready.TryDequeue(out nint drawable))
            {
                return false;
            }

            *command = new QXLCommandExt { Data = (ulong)drawable, Type = QXLCommandExt.QXL_CMD_DRAW };
            isHungry = _ready.Count == 0 && !_damage.IsEmpty;
            return true;
        }
    }

    internal bool IsAnyReady
    {
        get
        {
            lock (_lock)
            {
                return _ready.Count > 0;
            }
        }
    }

    /// <summary>The library is done with one; true where damage waits. Any thread of the library.</summary>
    internal bool Release(ulong number)
    {
        _pool.Release(number);
        lock (_lock)
        {
            return !_damage.IsEmpty;
        }
    }

    public void Dispose() => _pool.Dispose();

    private bool TryMake(Surface surface, Rect rect)
    {
        int stride = rect.Width * Surface.BytesPerPixel;
        long head = sizeof(QXLDrawable) + sizeof(QXLImage) + 1;
        byte* block = _pool.TryTake(head + ((long)stride * rect.Height), out ulong number);
        if (block is null)
        {
            return false;
        }

        // Sound: the block holds both structures and the pixels, one behind the other, and is this thread's until it is queued.
        var drawable = (QXLDrawable*)block;
        var image = (QXLImage*)(block + sizeof(QXLDrawable));
        byte* pixels = block + head;
        for (int y = 0; y < rect.Height; y++)
        {
            ReadOnlySpan<byte> row = surface.Row(rect.Y + y).Slice(rect.X * Surface.BytesPerPixel, stride);
            PixelConversion.ToB8G8R8X8(row, surface.Format, new Span<byte>(pixels + ((long)y * stride), stride));
        }

        Unsafe.InitBlockUnaligned(block, 0, (uint)head);
        drawable->ReleaseId = number;
        drawable->Effect = QXLDrawable.QXL_EFFECT_OPAQUE;
        drawable->Type = QXLDrawable.QXL_DRAW_COPY;
        drawable->Box = new QXLRect { Left = rect.X, Top = rect.Y, Right = rect.Right, Bottom = rect.Bottom };
        drawable->SurfacesDest0 = drawable->SurfacesDest1 = drawable->SurfacesDest2 = -1;
        drawable->SourceBitmap = (ulong)image;
        drawable->SourceArea = new QXLRect { Right = rect.Width, Bottom = rect.Height };
        drawable->RopDescriptor = QXLDrawable.SPICE_ROPD_OP_PUT;
        image->Id = ((ulong)++_lastImage << 32) | 1;
        image->Type = QXLImage.SPICE_IMAGE_TYPE_BITMAP;
        image->Width = image->BitmapX = (uint)rect.Width;
        image->Height = image->BitmapY = (uint)rect.Height;
        image->BitmapFormat = QXLImage.SPICE_BITMAP_FMT_32BIT;
        image->BitmapFlags = QXLImage.QXL_BITMAP_DIRECT | QXLImage.QXL_BITMAP_TOP_DOWN;
        image->BitmapStride = (uint)stride;
        image->BitmapData = (ulong)pixels;
        lock (_lock)
        {
            _ready.Enqueue((nint)block);
        }

        return true;
    }
}
