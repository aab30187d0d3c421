using System.Net;
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>A screen that a test draws on, with a server at a port of loopback.</summary>
internal sealed class Desk : IDisposable
{
    internal Desk(int width = 640, int height = 480, RfbServerOptions? options = null)
    {
        Screen = new Screen(1, new DisplayMode(1024, 768)) { Input = Input };
        Surface = Surface.Create("desk", width, height, PixelFormat.B8G8R8X8);
        Head.SetSurface(Surface);
        Server = new RfbServer(Screen, options ?? new RfbServerOptions { Name = "desk" }, Log);
        Listener = RfbListener.Tcp(Server, null, Log);
    }

    internal Screen Screen { get; }

    internal Head Head => Screen.Heads[0];

    internal Surface Surface { get; private set; }

    internal InputRecord Input { get; } = new();

    internal ListLogger Log { get; } = new();

    internal RfbServer Server { get; }

    internal RfbListener Listener { get; }

    internal IPEndPoint Address => new(IPAddress.Loopback, Listener.Port);

    /// <summary>Draws, and says so.</summary>
    internal void Fill(Rect rect, uint colour)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            Pixels(y).Slice(rect.X, rect.Width).Fill(colour);
        }

        Head.Flush(rect);
    }

    /// <summary>Text-like, flat and photographic parts, all over a rectangle.</summary>
    internal void Scribble(Random random, Rect rect)
    {
        int kind = random.Next(5);
        uint[] palette = [.. Enumerable.Range(0, kind switch { 0 => 1, 1 => 2, 2 => 9, 3 => 100, _ => 4096 }).Select(_ => (uint)random.Next())];
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            Span<uint> row = Pixels(y).Slice(rect.X, rect.Width);
            for (int x = 0; x < row.Length;)
            {
                int run = Math.Min(random.Next(1, kind == 4 ? 2 : 40), row.Length - x);
                row.Slice(x, run).Fill(palette[random.Next(palette.Length)]);
                x += run;
            }
        }

        Head.Flush(rect);
    }

    /// <summary>A picture with all kinds of parts.</summary>
    internal void ScribbleAll(Random random)
    {
        for (int i = 0; i < 24; i++)
        {
            Scribble(random, AnyRect(random));
        }

        Head.Flush(Surface.Bounds);
    }

    internal Rect AnyRect(Random random)
    {
        int x = random.Next(Surface.Width);
        int y = random.Next(Surface.Height);
        return new Rect(x, y, random.Next(1, Surface.Width - x + 1), random.Next(1, Surface.Height - y + 1));
    }

    /// <summary>Moves the rows of a rectangle up (or down where negative), as a terminal does.</summary>
    internal void Scroll(Rect rect, int up)
    {
        for (int i = 0; i < rect.Height - Math.Abs(up); i++)
        {
            int to = up > 0 ? rect.Y + i : rect.Bottom - 1 - i;
            Pixels(to + up).Slice(rect.X, rect.Width).CopyTo(Pixels(to)[rect.X..]);
        }

        Head.Flush(rect);
    }

    /// <summary>Moves the columns of a rectangle to the left (or to the right where negative).</summary>
    internal void Shift(Rect rect, int left)
    {
        for (int y = rect.Y; y < rect.Bottom; y++)
        {
            Span<uint> row = Pixels(y).Slice(rect.X, rect.Width);
            if (left > 0)
            {
                row[left..].CopyTo(row);
            }
            else
            {
                row[..^-left].CopyTo(row[-left..]);
            }
        }

        Head.Flush(rect);
    }

    /// <summary>Colours that flow into each other, with a grain, as in a photograph: a different one for each <paramref name="moment"/>.</summary>
    internal void Photograph(Rect rect, int moment)
    {
        var grain = new Random(moment);
        for (int y = 0; y < rect.Height; y++)
        {
            Span<uint> row = Pixels(rect.Y + y).Slice(rect.X, rect.Width);
            for (int x = 0; x < rect.Width; x++)
            {
                uint red = Wave((x * 0.031) + (moment * 0.4)), green = Wave((y * 0.023) + (x * 0.011) + (moment * 0.7)), blue = Wave(((x + y) * 0.017) - moment);
                row[x] = (red << 16) | (green << 8) | blue;
            }
        }

        Head.Flush(rect);

        uint Wave(double at) => (uint)(128 + (100 * Math.Sin(at)) + grain.Next(-8, 9));
    }

    internal void Resize(int width, int height)
    {
        Surface before = Surface;
        Surface = Surface.Create("desk", width, height, PixelFormat.B8G8R8X8);
        Head.SetSurface(Surface);
        before.Dispose();
    }

    internal Span<uint> Pixels(int y) => MemoryMarshal.Cast<byte, uint>(Surface.Row(y));

    /// <summary>The colour of a pixel: red, green, blue.</summary>
    internal uint At(int x, int y) => Pixels(y)[x] & 0xffffff;

    public void Dispose()
    {
        Listener.Dispose();
        Server.Dispose();
        Head.SetSurface(null);
        Surface.Dispose();
    }
}
