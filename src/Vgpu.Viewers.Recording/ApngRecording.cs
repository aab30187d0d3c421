using Vgpu.Viewers.Png;

namespace Vgpu.Viewers.Recording;

// A film as an animated PNG: lossless, played by browsers, and in need of no library.
internal sealed class ApngRecording(Stream file, int width, int height) : IRecording
{
    private readonly ApngWriter _writer = new(file, width, height);

    public int Width => width;

    public int Height => height;

    public bool IsApng => true;

    public void Add(ReadOnlySpan<byte> bgrx, TimeSpan duration)
    {
        _writer.Add(bgrx, duration);
        file.Flush();
    }

    public void Finish() => _writer.Finish();

    public void Dispose() => file.Dispose();
}
