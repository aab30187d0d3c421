using System.Runtime.InteropServices;

namespace Vgpu.Bench.Screens;

/// <summary>An H.264 stream's decoder, by openh264 2.3 (codec_api.h): its light only, which is all that a strip has. One thread.</summary>
internal sealed unsafe class FilmDecoder : IDisposable
{
    private const int ErrorConcealmentDisabled = 0;
    private const int BitstreamAvc = 0;

    private static readonly nint s_library =
        NativeLibrary.TryLoad("libopenh264.so.7", out nint handle) ? handle : throw new BenchmarkException("libopenh264 is missing; eng/setup --with build-tools installs it");

    private readonly nint** _decoder;

    internal FilmDecoder()
    {
        // Sound: the signatures and the order of the table are codec_api.h's.
        nint** decoder = null;
        var create = (delegate* unmanaged<nint***, int>)NativeLibrary.GetExport(s_library, "WelsCreateDecoder");
        if (create(&decoder) != 0)
        {
            throw new BenchmarkException("openh264 makes no decoder");
        }

        _decoder = decoder;
        var parameters = new SDecodingParam { uiTargetDqLayer = 255, eEcActiveIdc = ErrorConcealmentDisabled, eVideoBsType = BitstreamAvc };
        if (((delegate* unmanaged<nint**, SDecodingParam*, nint>)(*_decoder)[0])(_decoder, &parameters) != 0)
        {
            throw new BenchmarkException("openh264's decoder takes no parameters");
        }
    }

    /// <summary>The picture in greys; null where the stream gave none yet.</summary>
    internal uint[]? Decode(byte[] data, int width, int height)
    {
        byte** planes = stackalloc byte*[3];
        SBufferInfo info = default;
        // Sound: DecodeFrameNoDelay is the fourth of the table; the planes stay the decoder's until its next call.
        fixed (byte* source = data)
        {
            int failed = ((delegate* unmanaged<nint**, byte*, int, byte**, SBufferInfo*, int>)(*_decoder)[3])(_decoder, source, data.Length, planes, &info);
            if (failed != 0)
            {
                throw new BenchmarkException($"an H.264 picture can't be decoded: {failed}");
            }
        }

        if (info.iBufferStatus != 1 || info.iWidth < width || info.iHeight < height)
        {
            return null;
        }

        var pixels = new uint[width * height];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = planes[0][(i / width * info.iStride) + (i % width)] * 0x010101u;
        }

        return pixels;
    }

    public void Dispose()
    {
        _ = ((delegate* unmanaged<nint**, nint>)(*_decoder)[1])(_decoder);
        ((delegate* unmanaged<nint**, void>)NativeLibrary.GetExport(s_library, "WelsDestroyDecoder"))(_decoder);
    }

    // codec_app_def.h; the video property is a size and a type.
    [StructLayout(LayoutKind.Sequential)]
    private struct SDecodingParam
    {
        internal byte* pFileNameRestructed;
        internal uint uiCpuLoad;
        internal byte uiTargetDqLayer;
        internal int eEcActiveIdc;
        internal byte bParseOnly;
        internal uint size;
        internal int eVideoBsType;
    }

    // codec_def.h: SBufferInfo with SSysMEMBuffer, and room for the pointers after it.
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct SBufferInfo
    {
        [FieldOffset(0)] internal int iBufferStatus;
        [FieldOffset(24)] internal int iWidth;
        [FieldOffset(28)] internal int iHeight;
        [FieldOffset(32)] internal int iFormat;
        [FieldOffset(36)] internal int iStride;
    }
}
