using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A terminal that fills the screen with text: somebody types in its lower half, ten signs a second, or nobody does, and its
/// cursor blinks.
/// </summary>
internal sealed class TerminalScene : IScene
{
    private const int Top = 36;
    private const int Columns = Canvas.Width / TextPage.CellWidth;
    private const int Lines = (Canvas.Height - Top) / TextPage.CellHeight;
    private const int FirstTyped = Lines / 2;
    private const uint Paper = 0x1e_1e2e;
    private const uint Ink = 0xcd_d6f4;

    private readonly TextPage _text = new(Paper, Ink);
    private readonly bool _types;

    private TerminalScene(string name, int rate, bool types) => (Name, Rate, _types) = (name, rate, types);

    internal static TerminalScene Still { get; } = new("still", 2, types: false);

    internal static TerminalScene Typing { get; } = new("typing", 10, types: true);

    public string Name { get; }

    public int Rate { get; }

    public void Begin(Canvas canvas)
    {
        canvas.Fill(new Rect(0, Strip.Area.Bottom, Canvas.Width, Canvas.Height - Strip.Area.Bottom), Paper);
        canvas.Fill(new Rect(Strip.Area.Right, 0, Canvas.Width - Strip.Area.Right, Strip.Area.Bottom), Paper);
        for (int line = 0; line < Lines; line++)
        {
            if (line < FirstTyped || !_types)
            {
                _text.Line(canvas, 0, LineY(line), Columns * TextPage.CellWidth, line);
            }
        }
    }

    public Rect Step(Canvas canvas, int number)
    {
        if (!_types)
        {
            var cursor = new Rect(TextPage.CellWidth * 40, LineY(Lines - 1), TextPage.CellWidth, TextPage.CellHeight);
            canvas.Fill(cursor, number % 2 == 0 ? Ink : Paper);
            return cursor;
        }

        int place = number % (Columns * (Lines - FirstTyped));
        var cell = new Rect(place % Columns * TextPage.CellWidth, LineY(FirstTyped + (place / Columns)), TextPage.CellWidth, TextPage.CellHeight);
        _text.Sign(canvas, cell.X, cell.Y, (int)((uint)number * 2654435761 >> 16) % 94);
        return cell;
    }

    private static int LineY(int line) => Top + (line * TextPage.CellHeight);
}
