using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>What the library is given, where it never gives anything back, and what it says.</summary>
public sealed unsafe class BoundsTests
{
    private const int MostHeld = 448;

    [Fact]
    public void Drawing_goes_on_without_another_command_while_the_library_holds_all_and_nothing_is_lost()
    {
        using Surface surface = Surface.Create("bounds", 640, 480, PixelFormat.R8G8B8X8);
        using var drawables = new QxlDrawables();
        var held = new List<ulong>();
        bool isStarved = false;
        for (int i = 0; i < 2000; i++)
        {
            drawables.Add(new Rect(i * 7 % 630, i * 3 % 470, 4, 4));
            drawables.Make(surface, out isStarved);
            Drain(drawables, held);
        }

        Assert.True(isStarved);
        Assert.Equal(MostHeld, held.Count);

        // Something is given back: the rest follows, and covers the last that was drawn.
        Assert.True(drawables.Release(((QXLDrawable*)held[0])->ReleaseId));
        held.ForEach(drawable => drawables.Release(held[0] == drawable ? ulong.MaxValue : ((QXLDrawable*)drawable)->ReleaseId));
        held.Clear();
        Assert.True(drawables.Make(surface, out isStarved));
        Assert.False(isStarved);
        List<Rect> seen = Drain(drawables, held);
        Assert.Contains(seen, rect => rect.Contains(new Rect(1999 * 7 % 630, 1999 * 3 % 470, 4, 4)));
    }

    [Fact]
    public void Damage_while_a_command_waits_is_merged_into_the_next()
    {
        using Surface surface = Surface.Create("bounds", 640, 480, PixelFormat.B8G8R8X8);
        using var drawables = new QxlDrawables();
        Assert.True(drawables.Add(surface.Bounds));
        Assert.True(drawables.Make(surface, out _));
        for (int i = 0; i < 1000; i++)
        {
            drawables.Add(surface.Bounds);
            Assert.False(drawables.Make(surface, out _));
        }

        var held = new List<ulong>();
        Assert.Single(Drain(drawables, held));
        Assert.True(drawables.Make(surface, out _));
        Assert.Single(Drain(drawables, held));
        Assert.False(drawables.Make(surface, out _));
    }

    [Fact]
    public void A_command_holds_the_pixels_of_its_moment_in_the_libraries_order()
    {
        using Surface surface = Surface.Create("bounds", 4, 2, PixelFormat.R8G8B8A8);
        byte[] red = [255, 10, 20, 0];
        red.CopyTo(surface.Row(1)[8..]);
        using var drawables = new QxlDrawables();
        drawables.Add(new Rect(2, 1, 1, 1));
        drawables.Make(surface, out _);
        surface.Row(1).Clear();
        QXLCommandExt command;
        Assert.True(drawables.TryTake(&command, out _));
        var image = (QXLImage*)((QXLDrawable*)command.Data)->SourceBitmap;
        Assert.Equal([20, 10, 255, 255], new Span<byte>((void*)image->BitmapData, 4).ToArray());
    }

    [Fact]
    public void Of_many_cursors_the_last_is_shown()
    {
        var screen = new Screen(1, new DisplayMode(64, 48));
        Head head = screen.Heads[0];
        using var cursors = new QxlCursors(head);
        for (int i = 1; i <= 500; i++)
        {
            head.SetCursor(new CursorImage(i, 1, 0, 0, new byte[i * 4]), i, 3);
            cursors.Change();
        }

        QXLCommandExt command;
        Assert.True(cursors.TryTake(&command));
        var cursor = (QXLCursorCmd*)command.Data;
        Assert.Equal((QXLCursorCmd.QXL_CURSOR_SET, 500, 3, 500), (cursor->Type, cursor->X, cursor->Y, ((QXLCursor*)cursor->Shape)->Width));
        Assert.False(cursors.TryTake(&command));

        int taken = 1;
        for (int i = 0; i < 500; i++)
        {
            head.MoveCursor(i, i);
            cursors.Change();
            taken += cursors.TryTake(&command) ? 1 : 0;
        }

        Assert.Equal(128, taken);
    }

    [Fact]
    public void The_library_says_little_and_nothing_that_moves_a_terminal()
    {
        var log = new ListLogger();
        var library = new LibraryLog(log);
        library.Write("a\u001b[2Jb\n"u8, 0);
        for (int i = 0; i < 1000; i++)
        {
            library.Write(new byte[5000], i);
        }

        Assert.Equal("libspice-server: a [2Jb ", log.Lines[0]);
        Assert.Equal(LibraryLines.MostLines + 1, log.Lines.Count);
        Assert.All(log.Lines, line => Assert.InRange(line.Length, 1, LibraryLines.MostCharacters + 20));
        library.Write("later"u8, 60_000);
        Assert.Equal("libspice-server: later", log.Lines[^1]);
    }

    private static List<Rect> Drain(QxlDrawables drawables, List<ulong> held)
    {
        var rects = new List<Rect>();
        QXLCommandExt command;
        while (drawables.TryTake(&command, out _))
        {
            QXLRect box = ((QXLDrawable*)command.Data)->Box;
            rects.Add(new Rect(box.Left, box.Top, box.Right - box.Left, box.Bottom - box.Top));
            held.Add(command.Data);
        }

        return rects;
    }
}
