using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

public sealed class InputTests
{
    private const ushort KEY_A = 30;
    private const ushort KEY_LEFT = 105;
    private const ushort BTN_LEFT = 0x110;

    [Fact]
    public void Keys_buttons_places_and_the_wheel_reach_the_guest_and_are_let_go_when_the_client_dies()
    {
        using var desk = new Desk();
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");
        string window = viewer.Window();

        viewer.Do("windowfocus", window);
        InputEvent first = viewer.DoUntil(desk.Input, seen => seen.Kind == InputKind.Pointer, "mousemove", "200", "150", "mousemove_relative", "1", "1");
        viewer.DoUntil(desk.Input, seen => seen.Kind == InputKind.Pointer && seen.X > first.X && seen.Y > first.Y, "mousemove", "240", "180");
        viewer.DoUntil(desk.Input, seen => seen.Kind == InputKind.Pointer && seen.X < first.X && seen.Y < first.Y, "mousemove", "150", "120");
        viewer.DoUntil(desk.Input, seen => seen == InputEvent.Key(KEY_A, true), "windowfocus", window, "key", "a");
        desk.Input.WaitFor(InputEvent.Key(KEY_A, false));
        viewer.Do("key", "Left");
        desk.Input.WaitFor(InputEvent.Key(KEY_LEFT, true));
        desk.Input.WaitFor(InputEvent.Key(KEY_LEFT, false));

        viewer.Do("click", "4");
        desk.Input.WaitFor(InputEvent.Scroll(0, 120));
        viewer.Do("mousedown", "1");
        desk.Input.WaitFor(InputEvent.Button(BTN_LEFT, true));
        viewer.Do("keydown", "b");
        desk.Input.WaitFor(InputEvent.Key(48, true));

        viewer.Signal("KILL");
        desk.Input.WaitFor(InputEvent.Key(48, false));
        desk.Input.WaitFor(InputEvent.Button(BTN_LEFT, false));
        Assert.True(server.IsRunning);
    }

    [Fact]
    public void A_window_of_another_size_asks_the_guest_for_that_mode()
    {
        using var desk = new Desk();
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var asked = new ManualResetEventSlim();
        DisplayMode before = desk.Head.PreferredMode;
        desk.Head.PreferredModeChanged += head =>
        {
            if (head.PreferredMode is { Width: > 600, Height: > 400 })
            {
                asked.Set();
            }
        };
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");
        string window = viewer.Window();
        viewer.Do("windowsize", window, "800", "600");

        Assert.True(asked.Wait(TimeSpan.FromSeconds(30)), $"still {desk.Head.PreferredMode} of {before}\n{viewer.Said}");
    }

    [Fact]
    public void A_server_to_look_at_takes_no_input()
    {
        var screen = new Screen(1, new DisplayMode(64, 48));
        var sink = new RecordingSink();
        screen.Input = sink;
        var input = new SpiceInput(screen, 0, isTaken: false);
        input.Scan((byte)KEY_A);
        input.Move(1, 1, 1);
        input.Turn(1, 0);
        input.ReleaseAll();
        Assert.Equal("", sink.ToString());
    }

    [Fact]
    public void Scan_codes_become_keys()
    {
        Assert.Equal([(30, true), (30, false)], Keys(0x1e, 0x9e));
        Assert.Equal([(105, true), (105, false), (30, true)], Keys(0xe0, 0x4b, 0xe0, 0xcb, 0x1e));
        Assert.Equal([(119, true), (119, false)], Keys(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5));
        Assert.Equal([(87, true), (88, false)], Keys(0x57, 0xd8));
        Assert.Equal([], Keys(0xe0, 0x2a, 0xe0, 0xaa, 0x00, 0x80, 0x7f));
        for (int first = 0; first < 256; first++)
        {
            for (int second = 0; second < 256; second++)
            {
                Assert.All(Keys((byte)first, (byte)second), key => Assert.True(InputEvent.Key((ushort)key.Key, key.IsDown).IsValid));
            }
        }
    }

    private static List<(int Key, bool IsDown)> Keys(params byte[] fragments)
    {
        var codes = new ScanCodes();
        var keys = new List<(int, bool)>();
        foreach (byte fragment in fragments)
        {
            if (codes.TryTake(fragment, out ushort key, out bool isDown))
            {
                keys.Add((key, isDown));
            }
        }

        return keys;
    }
}
