using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>A page of text that moves up by a line, thirty times a second; the whole page is said to have changed.</summary>
internal sealed class ScrollingScene : IScene
{
    private const int Lines = 56;
    private static readonly Rect s_page = new(160, 48, 1600, Lines * TextPage.CellHeight);

    private readonly TextPage _text = new(0xff_ffff, 0x20_2020);

    public string Name => "scrolling";

    public int Rate => 30;

    public void Begin(Canvas canvas)
    {
        canvas.Fill(new Rect(0, Strip.Area.Bottom, Canvas.Width, Canvas.Height - Strip.Area.Bottom), 0xd8_dce4);
        canvas.Fill(new Rect(Strip.Area.Right, 0, Canvas.Width - Strip.Area.Right, Strip.Area.Bottom), 0xd8_dce4);
        for (int line = 0; line < Lines; line++)
        {
            _text.Line(canvas, s_page.X, s_page.Y + (line * TextPage.CellHeight), s_page.Width, line);
        }
    }

    public Rect Step(Canvas canvas, int number)
    {
        for (int y = s_page.Y; y < s_page.Bottom - TextPage.CellHeight; y++)
        {
            canvas.Row(s_page.X, y + TextPage.CellHeight, s_page.Width).CopyTo(canvas.Row(s_page.X, y, s_page.Width));
        }

        _text.Line(canvas, s_page.X, s_page.Bottom - TextPage.CellHeight, s_page.Width, Lines + number);
        return s_page;
    }
}
