using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A film of 1280x720 at 30 pictures a second amid a still desktop: a camera moves over a soft, textured landscape, seven
/// textured balls bounce, and each picture has grain of its own, as a camera's has.
/// </summary>
internal sealed class VideoScene : IScene
{
    private const int LandWidth = 1920;
    private const int LandHeight = 1080;
    private const int Balls = 7;
    private const int Grain = 1 << 20;
    private const uint Dimmest = 16;
    private const uint Brightest = 232;
    private static readonly Rect s_film = new(320, 180, 1280, 720);

    private readonly uint[] _land = Landscape(LandWidth, LandHeight, seed: 5, scale: 160);
    private readonly uint[] _skin = Landscape(256, 256, seed: 9, scale: 24);
    private readonly uint[] _grain = new uint[Grain + 1280];
    private readonly TextPage _text = new(0x2b_3040, 0xe0_e4ec);

    internal VideoScene()
    {
        var random = new Random(3);
        for (int i = 0; i < _grain.Length; i++)
        {
            // The sum of two dice, on all three colours, a little apart.
            int light = random.Next(5) + random.Next(5);
            _grain[i] = Pack((uint)(light + random.Next(2)), (uint)(light + random.Next(2)), (uint)(light + random.Next(2)));
        }
    }

    public string Name => "video";

    public int Rate => 30;

    public void Begin(Canvas canvas)
    {
        canvas.Fill(new Rect(0, Strip.Area.Bottom, Canvas.Width, Canvas.Height - Strip.Area.Bottom), 0x2b_3040);
        canvas.Fill(new Rect(Strip.Area.Right, 0, Canvas.Width - Strip.Area.Right, Strip.Area.Bottom), 0x2b_3040);
        for (int y = 40; y < s_film.Y - TextPage.CellHeight; y += TextPage.CellHeight)
        {
            _text.Line(canvas, 0, y, Canvas.Width, y);
        }

        _ = Step(canvas, 0);
    }

    public Rect Step(Canvas canvas, int number)
    {
        double time = number / 30.0;
        int panX = (int)((LandWidth - s_film.Width) * (0.5 + (0.5 * Math.Sin(time * 0.31))));
        int panY = (int)((LandHeight - s_film.Height) * (0.5 + (0.5 * Math.Cos(time * 0.23))));
        for (int y = 0; y < s_film.Height; y++)
        {
            _land.AsSpan(((panY + y) * LandWidth) + panX, s_film.Width).CopyTo(canvas.Row(s_film.X, s_film.Y + y, s_film.Width));
        }

        for (int ball = 0; ball < Balls; ball++)
        {
            Draw(canvas, ball, time);
        }

        var random = new Random(number);
        for (int y = 0; y < s_film.Height; y++)
        {
            Add(canvas.Row(s_film.X, s_film.Y + y, s_film.Width), _grain.AsSpan(random.Next(Grain), s_film.Width));
        }

        return s_film;
    }

    private void Draw(Canvas canvas, int ball, double time)
    {
        int radius = 50 + (ball * 9);
        int x = Bounce((97 + (ball * 31)) * time, s_film.Width - (2 * radius), ball * 211) + radius;
        int y = Bounce((71 + (ball * 43)) * time, s_film.Height - (2 * radius), ball * 139) + radius;
        int turn = (int)(time * 40) + (ball * 37);
        for (int row = -radius; row < radius; row++)
        {
            int half = (int)Math.Sqrt((radius * radius) - (row * row));
            Span<uint> pixels = canvas.Row(s_film.X + x - half, s_film.Y + y + row, 2 * half);
            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[i] = _skin[((row + turn) & 255) * 256 + ((i - half + (turn * 2)) & 255)];
            }
        }
    }

    private static int Bounce(double way, int room, int start)
    {
        int at = (int)(way + start) % (2 * room);
        return at < room ? at : (2 * room) - 1 - at;
    }

    // The brightest pixel leaves room for the strongest grain, so no colour runs into the next.
    private static void Add(Span<uint> pixels, ReadOnlySpan<uint> grain)
    {
        Span<Vector<uint>> many = MemoryMarshal.Cast<uint, Vector<uint>>(pixels);
        ReadOnlySpan<Vector<uint>> added = MemoryMarshal.Cast<uint, Vector<uint>>(grain);
        for (int i = 0; i < many.Length; i++)
        {
            many[i] += added[i];
        }
    }

    // Noise of four octaves for each colour: smooth at a distance, textured near by.
    private static uint[] Landscape(int width, int height, int seed, int scale)
    {
        var pixels = new uint[width * height];
        var random = new Random(seed);
        for (int shift = 0; shift <= 16; shift += 8)
        {
            var light = new float[pixels.Length];
            for ((int step, float weight) = (scale, 0.5f); step >= scale / 8; step /= 2, weight /= 2)
            {
                AddOctave(light, width, height, step, weight, random);
            }

            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[i] |= (uint)Math.Clamp(Dimmest + (light[i] * (Brightest - Dimmest)), Dimmest, Brightest) << shift;
            }
        }

        return pixels;
    }

    private static void AddOctave(float[] light, int width, int height, int step, float weight, Random random)
    {
        int columns = (width / step) + 2;
        float[] points = [.. Enumerable.Range(0, columns * ((height / step) + 2)).Select(_ => random.NextSingle())];
        for (int i = 0; i < light.Length; i++)
        {
            (int row, int y) = Math.DivRem(i / width, step);
            (int column, int x) = Math.DivRem(i % width, step);
            ReadOnlySpan<float> near = points.AsSpan((row * columns) + column);
            (float across, float down) = (Smooth((float)x / step), Smooth((float)y / step));
            float upper = near[0] + ((near[1] - near[0]) * across);
            float lower = near[columns] + ((near[columns + 1] - near[columns]) * across);
            light[i] += (upper + ((lower - upper) * down)) * weight;
        }
    }

    private static float Smooth(float part) => part * part * (3 - (2 * part));

    private static uint Pack(uint red, uint green, uint blue) => (red << 16) | (green << 8) | blue;
}
