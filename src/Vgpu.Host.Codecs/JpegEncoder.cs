using System.Buffers;
using System.Runtime.InteropServices;
using Vgpu.Host.Codecs.Interop;
using Vgpu.Screens;

namespace Vgpu.Host.Codecs;

/// <summary>libjpeg-turbo's compressor, by the TurboJPEG API 2 (turbojpeg.h).</summary>
public sealed unsafe class JpegEncoder : IJpegEncoder
{
    private readonly TurboJpeg _library;
    private nint _handle;
    private byte* _buffer;
    private nuint _capacity;

    internal JpegEncoder(TurboJpeg library)
    {
        _library = library;
        _handle = library.InitCompress();
        if (_handle == 0)
        {
            throw new InvalidOperationException($"tjInitCompress: {library.ErrorText(0)}");
        }
    }

    ~JpegEncoder() => Release();

    /// <summary>A new encoder; null, with a line that says what to install, where the library is absent. Any thread.</summary>
    public static IJpegEncoder? TryCreate(out string? missing)
    {
        IJpegEncoder? encoder = PictureCodecs.Host.TryJpeg();
        missing = encoder is null ? PictureCodecs.MissingJpeg : null;
        return encoder;
    }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> bgrx, int width, int height, int stride, int quality, bool subsample, IBufferWriter<byte> to)
    {
        ArgumentNullException.ThrowIfNull(to);
        BgrxRows.Validate(bgrx, width, height, stride);
        if (quality is < 1 or > 100)
        {
            throw new ArgumentOutOfRangeException(nameof(quality), quality, "1 to 100.");
        }

        ObjectDisposedException.ThrowIf(_handle == 0, this);
        int sampling = subsample ? TurboJpeg.TJSAMP_420 : TurboJpeg.TJSAMP_444;
        Reserve(_library.BufSize(width, height, sampling));
        byte* target = _buffer;
        nuint length = _capacity;
        int failed;
        fixed (byte* source = bgrx)
        {
            // Sound: the rows were checked to lie within the span; the buffer holds what tjBufSize asks for and is not
            // reallocated (TJFLAG_NOREALLOC).
            failed = _library.Compress(_handle, source, width, stride, height, TurboJpeg.TJPF_BGRX, &target, &length, sampling, quality, TurboJpeg.TJFLAG_NOREALLOC);
        }

        if (failed != 0)
        {
            throw new InvalidOperationException($"tjCompress2 {width}x{height}: {_library.ErrorText(_handle)}");
        }

        to.Write(new ReadOnlySpan<byte>(target, checked((int)length)));
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Reserve(nuint length)
    {
        if (length > int.MaxValue)
        {
            throw new InvalidOperationException($"A JPEG picture of up to {length} bytes is too large.");
        }

        if (length > _capacity)
        {
            NativeMemory.Free(_buffer);
            _buffer = null;
            _capacity = 0;
            _buffer = (byte*)NativeMemory.Alloc(length);
            _capacity = length;
        }
    }

    private void Release()
    {
        if (_handle != 0)
        {
            _ = _library.Destroy(_handle);
            _handle = 0;
        }

        NativeMemory.Free(_buffer);
        _buffer = null;
        _capacity = 0;
    }
}
