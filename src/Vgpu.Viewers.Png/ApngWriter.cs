using System.Buffers.Binary;
using Vgpu.Screens;

namespace Vgpu.Viewers.Png;

/// <summary>
/// Writes an animated PNG (W3C PNG, 3rd edition, 4.9 and 11.3.6), lossless, each picture only where it differs from the
/// one before. One thread. After each picture the count in the file is right, so that only the end is missing where the
/// process is killed; players that care for no end show all of it.
/// </summary>
public sealed class ApngWriter
{
    private const ushort DelayDenominator = 1000;
    private const int MaxDelay = 60_000;
    private readonly Stream _target;
    private readonly int _width;
    private readonly int _height;
    private readonly byte[] _shown;
    private readonly long _actl;
    private uint _frames;
    private uint _sequence;

    /// <summary>
    /// Starts a file of pictures of one size, 1 to <see cref="DisplayMode.MaxSize"/> each way, in
    /// <paramref name="target"/>, which can seek and stays open. Throws <see cref="IOException"/>.
    /// </summary>
    public ApngWriter(Stream target, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (width is < 1 or > DisplayMode.MaxSize || height is < 1 or > DisplayMode.MaxSize)
        {
            throw new ArgumentException($"{width}x{height} is no size of a picture.", nameof(width));
        }

        _target = target;
        _width = width;
        _height = height;
        _shown = new byte[width * height * Surface.BytesPerPixel];
        PngFile.WriteHeader(target, width, height);
        _actl = target.Position;
        WriteCount();
    }

    /// <summary>
    /// Adds a picture that is shown for <paramref name="duration"/>: rows of B8G8R8X8 without gaps. Throws
    /// <see cref="IOException"/>, and <see cref="ArgumentException"/> for pixels of another size.
    /// </summary>
    public void Add(ReadOnlySpan<byte> bgrx, TimeSpan duration)
    {
        if (bgrx.Length != _shown.Length)
        {
            throw new ArgumentException($"{bgrx.Length} bytes are not {_width}x{_height}.", nameof(bgrx));
        }

        Rect part = _frames == 0 ? new Rect(0, 0, _width, _height) : Difference(bgrx);
        long left = Math.Max(0, (long)duration.TotalMilliseconds);
        do
        {
            // A delay has 16 bits: a longer one is several, each with a pixel that changes nothing.
            int delay = (int)Math.Min(left, MaxDelay);
            WriteFrame(bgrx, part, (ushort)delay);
            left -= delay;
            part = new Rect(0, 0, 1, 1);
        }
        while (left > 0);

        bgrx.CopyTo(_shown);
        WriteCount();
    }

    /// <summary>Ends the file, once. Throws <see cref="IOException"/>.</summary>
    public void Finish()
    {
        PngFile.WriteEnd(_target);
        _target.Flush();
    }

    private void WriteFrame(ReadOnlySpan<byte> bgrx, Rect part, ushort delay)
    {
        Span<byte> control = stackalloc byte[26];
        control.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(control, _sequence++);
        BinaryPrimitives.WriteInt32BigEndian(control[4..], part.Width);
        BinaryPrimitives.WriteInt32BigEndian(control[8..], part.Height);
        BinaryPrimitives.WriteInt32BigEndian(control[12..], part.X);
        BinaryPrimitives.WriteInt32BigEndian(control[16..], part.Y);
        BinaryPrimitives.WriteUInt16BigEndian(control[20..], delay);
        BinaryPrimitives.WriteUInt16BigEndian(control[22..], DelayDenominator);
        PngChunkStream.WriteChunk(_target, "fcTL"u8, control);
        using (var chunks = new PngChunkStream(_target, _frames == 0 ? null : () => _sequence++))
        {
            PngFile.WriteRows(chunks, bgrx, _width * Surface.BytesPerPixel, part);
        }

        _frames++;
    }

    // acTL, in its place before the pictures; played once.
    private void WriteCount()
    {
        long end = Math.Max(_target.Position, _actl);
        _target.Position = _actl;
        Span<byte> control = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(control, Math.Max(1, _frames));
        BinaryPrimitives.WriteUInt32BigEndian(control[4..], 1);
        PngChunkStream.WriteChunk(_target, "acTL"u8, control);
        _target.Position = Math.Max(end, _target.Position);
    }

    // The smallest rectangle of all that differs from what is shown; one pixel where nothing does.
    private Rect Difference(ReadOnlySpan<byte> bgrx)
    {
        int stride = _width * Surface.BytesPerPixel;
        int top = bgrx.CommonPrefixLength(_shown) / stride;
        if (top == _height)
        {
            return new Rect(0, 0, 1, 1);
        }

        int bottom = _height;
        while (bgrx.Slice((bottom - 1) * stride, stride).SequenceEqual(_shown.AsSpan((bottom - 1) * stride, stride)))
        {
            bottom--;
        }

        int left = stride;
        int right = 0;
        for (int y = top; y < bottom; y++)
        {
            ReadOnlySpan<byte> now = bgrx.Slice(y * stride, stride);
            ReadOnlySpan<byte> before = _shown.AsSpan(y * stride, stride);
            int first = now.CommonPrefixLength(before);
            if (first == stride)
            {
                continue;
            }

            left = Math.Min(left, first);
            int last = stride;
            while (last > right && now[last - 1] == before[last - 1])
            {
                last--;
            }

            right = Math.Max(right, last);
        }

        int column = left / Surface.BytesPerPixel;
        return new Rect(column, top, ((right + Surface.BytesPerPixel - 1) / Surface.BytesPerPixel) - column, bottom - top);
    }
}
