using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs;

// A picture of Y, U and V planes in native memory, as the H.264 libraries take it, of even size. One thread.
internal sealed unsafe class I420Picture : IDisposable
{
    // Wide enough for the libraries' vector loads.
    private const int Alignment = 64;
    private byte* _memory;

    internal I420Picture(int width, int height)
    {
        SourceWidth = width;
        SourceHeight = height;
        Width = width + (width & 1);
        Height = height + (height & 1);
        LumaStride = (Width + Alignment - 1) / Alignment * Alignment;
        ChromaStride = LumaStride / 2;
        nuint luma = (nuint)LumaStride * (nuint)Height;
        _memory = (byte*)NativeMemory.AlignedAlloc(luma + (luma / 2), Alignment);
        NativeMemory.Clear(_memory, luma + (luma / 2));
        U = _memory + luma;
        V = U + (luma / 4);
    }

    ~I420Picture() => Release();

    internal int SourceWidth { get; }

    internal int SourceHeight { get; }

    internal int Width { get; }

    internal int Height { get; }

    internal int LumaStride { get; }

    internal int ChromaStride { get; }

    internal byte* Y => _memory;

    internal byte* U { get; }

    internal byte* V { get; }

    internal bool IsDisposed => _memory is null;

    // Takes over a whole picture; an odd size has its last column and row doubled.
    internal void Fill(ReadOnlySpan<byte> bgrx, int stride)
    {
        BgrxRows.Validate(bgrx, SourceWidth, SourceHeight, stride);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        int row = SourceWidth * sizeof(uint);
        for (int y = 0; y < Height; y += 2)
        {
            ReadOnlySpan<uint> upper = MemoryMarshal.Cast<byte, uint>(bgrx.Slice(y * stride, row));
            int below = Math.Min(y + 1, SourceHeight - 1);
            ReadOnlySpan<uint> lower = MemoryMarshal.Cast<byte, uint>(bgrx.Slice(below * stride, row));
            // Sound: the planes have Height rows of their strides and Height / 2 rows of theirs; y is even and less than Height.
            BgrxToI420.Luma(upper, new Span<byte>(Y + ((long)y * LumaStride), Width));
            BgrxToI420.Luma(lower, new Span<byte>(Y + ((long)(y + 1) * LumaStride), Width));
            long chroma = (long)(y / 2) * ChromaStride;
            BgrxToI420.Chroma(upper, lower, new Span<byte>(U + chroma, Width / 2), new Span<byte>(V + chroma, Width / 2));
        }
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
