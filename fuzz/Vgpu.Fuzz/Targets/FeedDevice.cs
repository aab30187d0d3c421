using Vgpu.Screens;

namespace Vgpu.Fuzz.Targets;

/// <summary>What a device does to the screen that a feed shows.</summary>
internal sealed class FeedDevice(Screen screen) : IDisposable
{
    private static readonly PixelFormat[] s_formats = Enum.GetValues<PixelFormat>();

    private readonly Surface?[] _surfaces = new Surface?[screen.Heads.Count];
    private byte _colour;

    internal void Step(byte kind, byte a, byte b, byte c, byte d, int largest)
    {
        int index = a % _surfaces.Length;
        Head head = screen.Heads[index];
        switch (kind % 6)
        {
            case 0:
                Show(index, Surface.Create("fuzz", 1 + (b % largest), 1 + (c % largest), s_formats[d % s_formats.Length]));
                break;
            case 1 or 2 when _surfaces[index] is { } surface:
                Draw(surface, head, new Rect((sbyte)b, (sbyte)c, d % 16, (d >> 4) + 1));
                break;
            case 3:
                head.SetCursor(b % 4 == 0 ? null : new CursorImage(1 + (b % 8), 1 + (c % 8), d, -d, new byte[(1 + (b % 8)) * (1 + (c % 8)) * 4]), c, d);
                break;
            case 4:
                head.MoveCursor(b, c);
                break;
            case 5:
                head.SetConnected(b % 2 == 0);
                Show(index, null);
                break;
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < _surfaces.Length; i++)
        {
            Show(i, null);
        }
    }

    private void Draw(Surface surface, Head head, Rect rect)
    {
        Rect within = rect.Intersect(surface.Bounds);
        for (int y = within.Y; y < within.Bottom; y++)
        {
            surface.Row(y).Slice(within.X * Surface.BytesPerPixel, within.Width * Surface.BytesPerPixel).Fill(++_colour);
        }

        head.Flush(rect);
    }

    private void Show(int index, Surface? surface)
    {
        screen.Heads[index].SetSurface(surface);
        _surfaces[index]?.Dispose();
        _surfaces[index] = surface;
    }
}
