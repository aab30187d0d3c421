namespace Vgpu.Viewers.Recording;

/// <summary>A film that is being written, of pictures of one size. One thread. What fails throws <see cref="IOException"/>.</summary>
public interface IRecording : IDisposable
{
    /// <summary>Width of its pictures in pixels.</summary>
    int Width { get; }

    /// <summary>Height of its pictures in pixels.</summary>
    int Height { get; }

    /// <summary>Whether it is an animated PNG.</summary>
    bool IsApng { get; }

    /// <summary>Adds a picture, rows of B8G8R8X8 without gaps, that is shown for <paramref name="duration"/>.</summary>
    void Add(ReadOnlySpan<byte> bgrx, TimeSpan duration);

    /// <summary>Ends the film, once; without it what was added can still be played.</summary>
    void Finish();
}
