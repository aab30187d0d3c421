using Vgpu.Linux;

namespace Vgpu.Screens;

/// <summary>
/// Pixels in a memory file, mapped here, that another process can map read-only. A surface is one reference to its
/// memory: <see cref="Share"/> and <see cref="Slice"/> make more, and the memory goes with the last. The numbers never
/// change; the pixels do, on any thread.
/// </summary>
public sealed unsafe class Surface : IDisposable
{
    /// <summary>Bytes of a pixel in every <see cref="PixelFormat"/>.</summary>
    public const int BytesPerPixel = 4;

    private readonly SurfaceMemory _memory;
    private int _disposed;

    private Surface(SurfaceMemory memory, ulong offset, byte* pixels, int width, int height, int stride, PixelFormat format)
    {
        _memory = memory;
        Offset = offset;
        Pixels = pixels;
        Width = width;
        Height = height;
        Stride = stride;
        Format = format;
    }

    /// <summary>The memory file. Valid until <see cref="Dispose"/>; duplicate it to keep it.</summary>
    public FileDescriptor File => _memory.File;

    /// <summary>Where the first pixel is in <see cref="File"/>, in bytes.</summary>
    public ulong Offset { get; }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Bytes from a row to the next.</summary>
    public int Stride { get; }

    public PixelFormat Format { get; }

    /// <summary>The first pixel. Valid until <see cref="Dispose"/>.</summary>
    public byte* Pixels { get; }

    /// <summary>All of it, as a rectangle.</summary>
    public Rect Bounds => new(0, 0, Width, Height);

    /// <summary>
    /// New pixels, all zero, in a memory file of their own: sealed against resizing, against further seals and against
    /// every write but through this mapping (F_SEAL_FUTURE_WRITE), so that readers get it read-only.
    /// <paramref name="stride"/> is in bytes, a multiple of 4; 0: no gaps. Throws <see cref="LinuxException"/>, and
    /// <see cref="ArgumentException"/> for sizes outside 1 to <see cref="DisplayMode.MaxSize"/>.
    /// </summary>
    public static Surface Create(string name, int width, int height, PixelFormat format, int stride = 0)
    {
        stride = stride == 0 ? width * BytesPerPixel : stride;
        Validate(width, height, stride, format);
        ulong page = (ulong)Environment.SystemPageSize;
        ulong size = ((ulong)stride * (ulong)height + page - 1) / page * page;
        FileDescriptor file = MemFd.Create(name, size);
        MemoryMapping? mapping = null;
        try
        {
            mapping = MemoryMapping.Share(file, 0, size, MemoryProtection.ReadWrite);
            if (!MemFd.TryAddSeals(file, Seals.F_SEAL_FUTURE_WRITE | Seals.F_SEAL_SEAL))
            {
                throw new LinuxException("fcntl(F_ADD_SEALS)", Errno.EINVAL, "F_SEAL_FUTURE_WRITE (Linux 5.1)");
            }

            return new Surface(new SurfaceMemory(file, mapping), 0, mapping.Pointer, width, height, stride, format);
        }
        catch
        {
            mapping?.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A view of a part of memory that lives in an existing memory file, already mapped at <paramref name="pixels"/>.
    /// The file stays open for as long as a reference is left. The mapping is the caller's and must outlive the view
    /// and all that <see cref="Share"/> and <see cref="Slice"/> made of it, such as a head's: see the overload with
    /// a callback.
    /// </summary>
    public static Surface View(FileDescriptor file, ulong offset, byte* pixels, int width, int height, int stride, PixelFormat format) =>
        View(file, offset, pixels, width, height, stride, format, released: null);

    /// <summary>
    /// As the other, and calls <paramref name="released"/> once, on any thread, when no reference is left: then the
    /// mapping may go.
    /// </summary>
    public static Surface View(FileDescriptor file, ulong offset, byte* pixels, int width, int height, int stride, PixelFormat format, Action? released)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(pixels);
        Validate(width, height, stride, format);
        return new Surface(new SurfaceMemory(file, released), offset, pixels, width, height, stride, format);
    }

    /// <summary>Another reference to the same pixels. Throws <see cref="ObjectDisposedException"/> where this one is gone.</summary>
    public Surface Share()
    {
        AddReference();
        return new Surface(_memory, Offset, Pixels, Width, Height, Stride, Format);
    }

    /// <summary>
    /// A sub-rectangle that shares this one's memory and keeps it alive. Throws <see cref="ArgumentException"/> where it
    /// is empty or not within this one.
    /// </summary>
    public Surface Slice(Rect rect)
    {
        if (rect.IsEmpty || !Bounds.Contains(rect))
        {
            throw new ArgumentException($"{rect} is not within {Width}x{Height}.", nameof(rect));
        }

        AddReference();
        long skip = ((long)rect.Y * Stride) + ((long)rect.X * BytesPerPixel);
        // Sound: the rectangle is within the bounds, so its first pixel is within the memory that the reference keeps.
        return new Surface(_memory, Offset + (ulong)skip, Pixels + skip, rect.Width, rect.Height, Stride, Format);
    }

    /// <summary>One row's pixels, without the gap. <paramref name="y"/> is 0 to Height - 1. Valid until <see cref="Dispose"/>.</summary>
    public Span<byte> Row(int y)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)y, (uint)Height, nameof(y));
        // Sound: the row is within the memory that this reference keeps mapped.
        return new Span<byte>(Pixels + ((long)y * Stride), Width * BytesPerPixel);
    }

    /// <summary>Gives this reference back, once. Any thread that knows no other still uses it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _memory.Release();
        }
    }

    private static void Validate(int width, int height, int stride, PixelFormat format)
    {
        if (width is < 1 or > DisplayMode.MaxSize || height is < 1 or > DisplayMode.MaxSize)
        {
            throw new ArgumentException($"A surface is 1x1 to {DisplayMode.MaxSize}x{DisplayMode.MaxSize}, not {width}x{height}.", nameof(width));
        }

        if (stride < width * BytesPerPixel || stride % BytesPerPixel != 0)
        {
            throw new ArgumentException($"A stride of {stride} does not suit rows of {width} pixels.", nameof(stride));
        }

        if (!Enum.IsDefined(format))
        {
            throw new ArgumentException($"{format} is no pixel format.", nameof(format));
        }
    }

    private void AddReference()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        _memory.AddReference();
    }
}
