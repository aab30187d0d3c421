using Vgpu.Linux;

namespace Vgpu.Screens;

public sealed class Surface : IDisposable
{
    /// <summary>New pixels, all zero, in a memory file of their own (sealed against resizing; readers get it read-only).</summary>
    public static Surface Create(string name, int width, int height, PixelFormat format, int stride = 0) => throw new NotImplementedException();

    /// <summary>A view of a part of memory that lives in an existing memory file, already mapped at <paramref name="pixels"/>.</summary>
    public static unsafe Surface View(FileDescriptor file, ulong offset, byte* pixels, int width, int height, int stride, PixelFormat format) => throw new NotImplementedException();

    public FileDescriptor File => throw new NotImplementedException();

    /// <summary>Where the first pixel is in <see cref="File"/>.</summary>
    public ulong Offset => throw new NotImplementedException();

    public int Width => throw new NotImplementedException();

    public int Height => throw new NotImplementedException();

    /// <summary>Bytes from a row to the next.</summary>
    public int Stride => throw new NotImplementedException();

    public PixelFormat Format => throw new NotImplementedException();

    public unsafe byte* Pixels => throw new NotImplementedException();

    /// <summary>A sub-rectangle that shares this one's memory and keeps it alive.</summary>
    public Surface Slice(Rect rect) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
