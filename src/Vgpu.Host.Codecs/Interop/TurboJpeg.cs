using System.Runtime.InteropServices;

namespace Vgpu.Host.Codecs.Interop;

// libturbojpeg.so.0, the TurboJPEG API of libjpeg-turbo 2 (turbojpeg.h), which libjpeg-turbo 3 keeps.
internal sealed unsafe partial class TurboJpeg
{
    internal const string Name = "libturbojpeg.so.0";
    internal const int TJPF_BGRX = 3;
    internal const int TJSAMP_444 = 0;
    internal const int TJSAMP_420 = 2;
    internal const int TJFLAG_NOREALLOC = 1024;

    private readonly delegate* unmanaged<nint> _initCompress;
    private readonly delegate* unmanaged<nint, byte*, int, int, int, int, byte**, nuint*, int, int, int, int> _compress2;
    private readonly delegate* unmanaged<int, int, int, nuint> _bufSize;
    private readonly delegate* unmanaged<nint, int> _destroy;
    private readonly delegate* unmanaged<nint, byte*> _getErrorStr2;

    // Sound: the signatures are turbojpeg.h's; unsigned long is nuint on Linux.
    private TurboJpeg(nint library)
    {
        _initCompress = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitCompress");
        _compress2 = (delegate* unmanaged<nint, byte*, int, int, int, int, byte**, nuint*, int, int, int, int>)NativeLibrary.GetExport(library, "tjCompress2");
        _bufSize = (delegate* unmanaged<int, int, int, nuint>)NativeLibrary.GetExport(library, "tjBufSize");
        _destroy = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");
        _getErrorStr2 = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "tjGetErrorStr2");
    }

    internal static TurboJpeg? TryLoad(string name)
    {
        TurboJpeg? library = CodecLibrary.TryLoad(name, handle => new TurboJpeg(handle));
        if (library is not null)
        {
            // Huffman tables for each picture: a quarter fewer bytes of a coarse one. The API has no flag for it, only this,
            // which it looks at with each picture. Sound: the first growth of the environment copies it and leaves the old
            // one to whoever reads it.
            _ = SetEnv("TJ_OPTIMIZE", "1", overwrite: 0);
        }

        return library;
    }

    internal nint InitCompress() => _initCompress();

    internal int Compress(nint handle, byte* source, int width, int pitch, int height, int format, byte** target, nuint* length, int sampling, int quality, int flags) =>
        _compress2(handle, source, width, pitch, height, format, target, length, sampling, quality, flags);

    internal nuint BufSize(int width, int height, int sampling) => _bufSize(width, height, sampling);

    internal int Destroy(nint handle) => _destroy(handle);

    internal string ErrorText(nint handle) => Marshal.PtrToStringUTF8((nint)_getErrorStr2(handle)) ?? "no reason given";

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
