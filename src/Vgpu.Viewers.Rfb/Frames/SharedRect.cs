namespace Vgpu.Viewers.Rfb;

/// <summary>One of <see cref="SharedRects"/>; whoever makes or reads it holds its lock.</summary>
internal sealed class SharedRect : IDisposable
{
    internal OutputBuffer Bytes { get; } = new(1024);

    internal bool IsMade { get; set; }

    internal bool IsExact { get; set; }

    internal void Clear()
    {
        Bytes.Clear();
        IsMade = false;
    }

    public void Dispose() => Bytes.Dispose();
}
