using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>Decodes the lossy pictures that touch the strip, with libturbojpeg and openh264. One thread.</summary>
internal sealed unsafe class StripPictures : IDisposable
{
    private const int TJPF_BGRX = 3;
    private const uint ResetContext = 1;
    private const uint ResetAllContexts = 2;

    private readonly delegate* unmanaged<nint, byte*, nuint, byte*, int, int, int, int, int, int> _decompress;
    private readonly delegate* unmanaged<nint, int> _destroy;
    private readonly Dictionary<Rect, FilmDecoder> _films = [];
    private readonly nint _jpeg;

    internal StripPictures()
    {
        nint library = NativeLibrary.TryLoad("libturbojpeg.so.0", out nint handle) ? handle : throw new BenchmarkException("libturbojpeg is missing; eng/setup --with build-tools installs it");
        // Sound: the signatures are turbojpeg.h's.
        _jpeg = ((delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitDecompress"))();
        _decompress = (delegate* unmanaged<nint, byte*, nuint, byte*, int, int, int, int, int, int>)NativeLibrary.GetExport(library, "tjDecompress2");
        _destroy = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");
    }

    internal uint[]? Jpeg(Rect area, byte[] data)
    {
        if (area.Intersect(Strip.Area).IsEmpty)
        {
            return null;
        }

        var pixels = new uint[area.Width * area.Height];
        // Sound: the buffer holds height rows of the pitch that is said.
        fixed (byte* source = data)
        fixed (uint* target = pixels)
        {
            int failed = _decompress(_jpeg, source, (nuint)data.Length, (byte*)target, area.Width, area.Width * 4, area.Height, TJPF_BGRX, 0);
            return failed == 0 ? pixels : throw new BenchmarkException("a JPEG picture can't be decoded");
        }
    }

    /// <summary>A place's pictures build on each other, so all are decoded where the place touches the strip.</summary>
    internal uint[]? Film(Rect area, uint flags, byte[] data)
    {
        if ((flags & ResetAllContexts) != 0)
        {
            Clear();
        }

        if (area.Intersect(Strip.Area).IsEmpty)
        {
            return null;
        }

        if ((flags & ResetContext) != 0 && _films.Remove(area, out FilmDecoder? old))
        {
            old.Dispose();
        }

        if (!_films.TryGetValue(area, out FilmDecoder? decoder))
        {
            decoder = _films[area] = new FilmDecoder();
        }

        return decoder.Decode(data, area.Width, area.Height);
    }

    public void Dispose()
    {
        Clear();
        _ = _destroy(_jpeg);
    }

    private void Clear()
    {
        foreach (FilmDecoder film in _films.Values)
        {
            film.Dispose();
        }

        _films.Clear();
    }
}
