using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Keys and pointer, as they come to the screen.</summary>
public sealed class InputTests
{
    [Fact]
    public void Symbols_become_the_keys_of_a_US_keyboard()
    {
        Assert.Equal(["30+", "30-"], Type(v => Tap(v, 'a')));
        Assert.Equal(["42+", "30+", "30-", "42-"], Type(v => Shifted(v, () => Tap(v, 'A'))));
        Assert.Equal(["28+", "28-", "111+", "111-", "59+", "59-", "88+", "88-", "57+", "57-"], Type(v => Tap(v, 0xff0d, 0xffff, 0xffbe, 0xffc9, ' ')));
        Assert.Equal(["29+", "56+", "111+", "111-", "56-", "29-"], Type(v =>
        {
            v.Key(0xffe3, true);
            v.Key(0xffe9, true);
            Tap(v, 0xffff);
            v.Key(0xffe9, false);
            v.Key(0xffe3, false);
        }));
    }

    [Fact]
    public void Shift_is_pressed_or_let_go_where_the_symbol_needs_it()
    {
        Assert.Equal(["42+", "30+", "42-", "30-"], Type(v => Tap(v, 'A')));
        Assert.Equal(["42+", "3+", "42-", "3-"], Type(v => Tap(v, '@')));
        // A German keyboard's slash is Shift and 7.
        Assert.Equal(["42+", "42-", "53+", "42+", "53-", "42-"], Type(v => Shifted(v, () => Tap(v, '/'))));
        Assert.Equal(["58+", "58-", "30+", "30-", "2+", "2-"], Type(v => Tap(v, 0xffe5, 'A', '1')));
    }

    [Fact]
    public void Every_printable_symbol_has_a_key()
    {
        foreach (char symbol in Enumerable.Range(' ', 95).Select(i => (char)i))
        {
            Assert.NotEqual(0, Keysyms.Find(symbol).Code);
        }

        Assert.Equal(0, Keysyms.Find(0x20ac).Code);
    }

    [Theory]
    [InlineData(0x1e, 30)]
    [InlineData(0xcd, 106)]
    [InlineData(0x54, 99)]
    [InlineData(0xb7, 99)]
    [InlineData(0xc6, 119)]
    [InlineData(0x56, 86)]
    [InlineData(0x9d, 97)]
    [InlineData(0xdb, 125)]
    public void Scancodes_become_keys_whatever_they_mean(int scancode, int code) =>
        Assert.Equal([$"{code}+", $"{code}-"], Type(v =>
        {
            v.ExtendedKey(0x1234, (uint)scancode, true);
            v.ExtendedKey(0x1234, (uint)scancode, false);
        }));

    [Fact]
    public void Extended_keys_are_offered_to_who_knows_them()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.SetEncodings(RfbProtocol.EncodingQemuExtendedKeyEvent);
        viewer.Request(incremental: false);
        viewer.Follow(desk);
        Assert.Equal(1, viewer.Decoder.Counts[RfbProtocol.EncodingQemuExtendedKeyEvent]);
    }

    [Fact]
    public void The_pointer_is_where_it_is_with_its_buttons_and_wheel()
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        viewer.Pointer(0, 639, 479);
        viewer.Pointer(1, 10, 20);
        viewer.Pointer(7, 10, 20);
        viewer.Pointer(0, 65535, 0);
        viewer.Pointer(8, 1, 1);
        viewer.Pointer(0, 1, 1);
        viewer.Pointer(16 | 64, 1, 1);
        IReadOnlyList<InputEvent[]> reports = desk.Input.WaitFor(7);
        Assert.Equal([InputEvent.Pointer(0, 639, 479, 640, 480)], reports[0]);
        Assert.Equal([InputEvent.Pointer(0, 10, 20, 640, 480), InputEvent.Button(0x110, true)], reports[1]);
        Assert.Equal([InputEvent.Pointer(0, 10, 20, 640, 480), InputEvent.Button(0x112, true), InputEvent.Button(0x111, true)], reports[2]);
        Assert.Equal(3, reports[3].Count(e => e is { Kind: InputKind.Button, Value: 0 }));
        Assert.Equal(InputEvent.Pointer(0, 639, 0, 640, 480), reports[3][0]);
        Assert.Equal(InputEvent.Scroll(0, 120), reports[4][1]);
        Assert.Single(reports[5]);
        Assert.Equal(InputEvent.Scroll(120, -120), reports[6][1]);
    }

    [Fact]
    public void What_a_viewer_holds_is_let_go_when_it_leaves()
    {
        using var desk = new Desk();
        using (var viewer = new Viewer(desk.Address))
        {
            viewer.Key(0xffe3, true);
            viewer.Key('x', true);
            viewer.Pointer(1, 5, 5);
            desk.Input.WaitFor(3);
        }

        IEnumerable<InputEvent> released = desk.Input.WaitFor(6).Skip(3).Select(report => Assert.Single(report));
        Assert.Equal([InputEvent.Key(29, false), InputEvent.Key(45, false), InputEvent.Button(0x110, false)], released);
    }

    [Fact]
    public void Where_one_may_type_it_is_who_came_first()
    {
        using var desk = new Desk(options: new RfbServerOptions { Name = "desk", Typing = RfbTyping.First });
        using var first = new Viewer(desk.Address);
        using var second = new Viewer(desk.Address);
        second.Key('b', true);
        Sync(second, desk);
        first.Key('a', true);
        Assert.Equal(InputEvent.Key(30, true), desk.Input.WaitFor(1)[0][0]);
        first.Dispose();
        desk.Input.WaitFor(2);
        second.Key('c', true);
        Assert.Equal(InputEvent.Key(46, true), desk.Input.WaitFor(3)[2][0]);
    }

    // Once the picture has come, all that was said before has been done.
    private static void Sync(Viewer viewer, Desk desk)
    {
        viewer.Request(incremental: false);
        viewer.Decoder.ReadUpdate();
        Assert.True(viewer.Shows(desk));
    }

    private static string[] Type(Action<Viewer> type)
    {
        using var desk = new Desk();
        using var viewer = new Viewer(desk.Address);
        type(viewer);
        viewer.Pointer(0, 0, 0);
        int count = 1;
        while (desk.Input.WaitFor(count)[^1][0].Kind != InputKind.Pointer)
        {
            count++;
        }

        return [.. desk.Input.Reports.SelectMany(r => r).Where(e => e.Kind == InputKind.Key).Select(e => $"{e.Code}{(e.Value != 0 ? '+' : '-')}")];
    }

    private static void Tap(Viewer viewer, params uint[] keysyms)
    {
        foreach (uint keysym in keysyms)
        {
            viewer.Key(keysym, true);
            viewer.Key(keysym, false);
        }
    }

    private static void Shifted(Viewer viewer, Action type)
    {
        viewer.Key(0xffe1, true);
        type();
        viewer.Key(0xffe1, false);
    }
}
