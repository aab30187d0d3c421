using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class RemoteScreenTests
{
    [Fact]
    public void The_mirror_shows_what_is_drawn_pixel_for_pixel()
    {
        using var device = new ScreenUnderTest(width: 333, height: 211);
        using RemoteScreen mirror = Mirror(device);
        using var watcher = new Watcher(mirror.Screen.Heads[0]);
        watcher.Shows(device.Head);
        for (int i = 0; i < 50; i++)
        {
            device.DrawSomewhere();
            if (i % 5 == 0)
            {
                watcher.Shows(device.Head);
            }
        }

        watcher.Shows(device.Head);
        Assert.Equal(1, watcher.Surfaces);
    }

    [Fact]
    public void It_follows_modes_formats_and_a_screen_that_goes_dark()
    {
        using var device = new ScreenUnderTest();
        using RemoteScreen mirror = Mirror(device);
        using var watcher = new Watcher(mirror.Screen.Heads[0]);
        foreach ((int width, int height, PixelFormat format) in new[] { (1, 1, PixelFormat.A8R8G8B8), (640, 480, PixelFormat.B8G8R8X8), (640, 480, PixelFormat.X8B8G8R8), (1999, 777, PixelFormat.B8G8R8A8) })
        {
            device.SetMode(width, height, format);
            watcher.Shows(device.Head);
            device.DrawSomewhere();
            watcher.Shows(device.Head);
        }

        device.Head.SetSurface(null);
        watcher.Holds(() => mirror.Screen.Heads[0].State.Width == 0, "nothing is shown");
        device.SetMode(20, 10);
        watcher.Shows(device.Head);
    }

    [Fact]
    public void It_has_the_cursor_the_connection_and_the_modes()
    {
        using var device = new ScreenUnderTest(heads: 3);
        using RemoteScreen mirror = Mirror(device);
        Head head = mirror.Screen.Heads[0];
        Assert.Equal((3, device.Head.MaxMode, device.Head.PreferredMode), (mirror.Screen.Heads.Count, head.MaxMode, head.PreferredMode));
        using var watcher = new Watcher(head);
        var pixels = new byte[64 * 64 * 4];
        new Random(3).NextBytes(pixels);
        device.Head.SetCursor(new CursorImage(64, 64, 3, -4, pixels), 5, 6);
        watcher.Holds(() => head.Cursor is { Image: { Width: 64, Height: 64, HotX: 3, HotY: -4 } image, X: 5, Y: 6 } && image.Pixels.Span.SequenceEqual(pixels), "the cursor");
        watcher.Shows(device.Head, withCursor: true);
        device.Head.MoveCursor(-7, 40);
        watcher.Holds(() => head.Cursor is { Image: not null, X: -7, Y: 40 }, "the cursor's place");
        device.Head.SetCursor(null, 1, 2);
        watcher.Holds(() => head.Cursor is { Image: null, X: 1, Y: 2 }, "no cursor");

        device.Screen.Heads[2].SetConnected(true);
        device.Screen.Heads[2].RequestMode(new DisplayMode(800, 600, 75));
        watcher.Holds(() => mirror.Screen.Heads[2] is { IsConnected: true, PreferredMode: { Width: 800, Height: 600, RefreshHertz: 75 } }, "the third head");
        Assert.False(mirror.Screen.Heads[1].IsConnected);
    }

    [Fact]
    public void Nobody_is_asked_for_pictures_that_nobody_looks_at()
    {
        using var device = new ScreenUnderTest();
        using RemoteScreen mirror = Mirror(device);
        Head head = mirror.Screen.Heads[0];
        using (var watcher = new Watcher(head))
        {
            watcher.Shows(device.Head);
            Assert.True(device.Head.IsObserved);
        }

        Holds(() => !device.Head.IsObserved, "the device's head is left alone");
        ulong generation = head.Generation;
        for (int i = 0; i < 20; i++)
        {
            device.DrawSomewhere();
        }

        // A capture is of now.
        Assert.Equal(generation, head.Generation);
        for (int i = 0; i < 20; i++)
        {
            device.DrawSomewhere();
            AssertSame(device.Head, head);
        }

        // The size is known though nobody looks.
        device.SetMode(99, 88);
        Holds(() => head.State is { Width: 99, Height: 88 }, "the size");
        Holds(() => !device.Head.IsObserved, "the device's head is left alone again");
    }

    [Fact]
    public void A_capture_is_of_now_with_its_cursor()
    {
        using var device = new ScreenUnderTest();
        using RemoteScreen mirror = Mirror(device);
        for (byte i = 0; i < 50; i++)
        {
            device.Head.SetCursor(new CursorImage(2, 1, 0, 0, new byte[] { i, 1, 2, 255, 3, i, 5, 255 }), i, i);
            device.DrawSomewhere();
            Picture expected = device.Head.Capture(withCursor: true)!;
            Assert.True(expected.Pixels.Span.SequenceEqual(mirror.Screen.Heads[0].Capture(withCursor: true)!.Pixels.Span), $"round {i}");
        }
    }

    [Fact]
    public void Several_mirrors_are_told_of_all_damage_each()
    {
        using var device = new ScreenUnderTest(width: 400, height: 300);
        using RemoteScreen first = Mirror(device);
        using RemoteScreen second = Mirror(device);
        using RemoteScreen third = Mirror(device);
        Watcher[] watchers = [.. new[] { first, second, third }.Select(mirror => new Watcher(mirror.Screen.Heads[0]))];
        for (int i = 0; i < 100; i++)
        {
            device.DrawSomewhere();
            watchers[i % 3].Shows(device.Head);
        }

        foreach (Watcher watcher in watchers)
        {
            watcher.Shows(device.Head);
            watcher.Dispose();
        }
    }

    [Fact]
    public void Input_arrives_in_order_moment_by_moment()
    {
        using var device = new ScreenUnderTest();
        using RemoteScreen mirror = Mirror(device);
        IInputSink sink = mirror.Screen.Input!;
        var sent = new List<InputEvent[]>();
        for (ushort i = 1; i <= 300; i++)
        {
            InputEvent[] moment = i % 3 == 0
                ? [InputEvent.Pointer(0, i, i, 1000, 1000), InputEvent.Button(272, i % 2 == 0)]
                : [InputEvent.Key(i, isDown: true)];
            sent.Add(moment);
            sink.Send(moment);
        }

        Assert.Equal(sent, device.WaitForInput(sent.Count));
    }

    [Fact]
    public void What_a_viewer_held_down_when_it_went_is_released()
    {
        using var device = new ScreenUnderTest();
        using (RemoteScreen mirror = Mirror(device))
        {
            mirror.Screen.Input!.Send([InputEvent.Key(42, true), InputEvent.Key(30, true), InputEvent.Key(30, false)]);
            mirror.Screen.Input!.Send([InputEvent.Button(273, true), InputEvent.Touch(0, 4, true, 10, 10, 100, 100)]);
            device.WaitForInput(2);
        }

        InputEvent[] released = [.. device.WaitForInput(5).Skip(2).SelectMany(moment => moment)];
        Assert.Equal([InputEvent.Key(42, false), InputEvent.Button(273, false), InputEvent.Touch(0, 4, false, 10, 10, 100, 100)], released);
    }

    [Fact]
    public void A_resize_by_a_viewer_goes_to_the_device_and_comes_back_as_its_mode()
    {
        using var device = new ScreenUnderTest();
        var asked = new List<DisplayMode>();
        device.Head.PreferredModeChanged += head =>
        {
            asked.Add(head.PreferredMode);
            device.SetMode(head.PreferredMode.Width, head.PreferredMode.Height);
        };
        using RemoteScreen mirror = Mirror(device);
        Head mirrored = mirror.Screen.Heads[0];
        using var watcher = new Watcher(mirrored);
        watcher.Shows(device.Head);
        mirrored.RequestMode(new DisplayMode(501, 402, 30));
        watcher.Holds(() => mirrored.State is { Width: 501, Height: 402 }, "the new mode");
        watcher.Shows(device.Head);
        Assert.Equal([new DisplayMode(501, 402, 30)], asked);

        // Nothing of what came from there goes back there.
        device.Head.RequestMode(new DisplayMode(333, 222));
        watcher.Holds(() => mirrored.PreferredMode == new DisplayMode(333, 222), "the preferred mode");
        watcher.Shows(device.Head);
        Assert.Equal(2, asked.Count);

        // The last of many is what stays.
        for (int i = 0; i < 50; i++)
        {
            mirrored.RequestMode(new DisplayMode(100 + i, 100));
        }

        watcher.Holds(() => mirrored.State is { Width: 149, Height: 100 } && mirrored.PreferredMode.Width == 149, "the last mode");
        Assert.Equal(149, device.Head.PreferredMode.Width);
    }

    [Fact]
    public void A_successor_at_the_same_path_takes_over()
    {
        using var device = new ScreenUnderTest();
        using RemoteScreen mirror = Mirror(device);
        Head head = mirror.Screen.Heads[0];
        using var watcher = new Watcher(head);
        watcher.Shows(device.Head);
        for (int i = 0; i < 5; i++)
        {
            int surfaces = watcher.Surfaces;
            device.Replace();
            device.DrawSomewhere();
            watcher.Shows(device.Head);
            watcher.Holds(() => watcher.Surfaces > surfaces && mirror.IsConnected, "all is damaged");
        }

        // What is done meanwhile is not lost, and the last picture stays.
        device.Stop();
        watcher.Holds(() => !mirror.IsConnected, "the other side is away");
        Assert.NotNull(head.Capture(withCursor: true));
        mirror.Screen.Input!.Send([InputEvent.Key(30, true)]);
        head.RequestMode(new DisplayMode(700, 500));
        using ScreenFeedServer successor = device.Serve();
        Assert.Equal([InputEvent.Key(30, true)], device.WaitForInput(1)[0]);
        watcher.Holds(() => device.Head.PreferredMode == new DisplayMode(700, 500), "the mode that was asked for");
        watcher.Shows(device.Head);
    }

    [Fact]
    public void A_thousand_modes_leave_no_descriptor_and_no_map()
    {
        using var device = new ScreenUnderTest();
        using (RemoteScreen mirror = Mirror(device))
        using (var watcher = new Watcher(mirror.Screen.Heads[0]))
        {
            watcher.Shows(device.Head);
            for (int i = 0; i < 1000; i++)
            {
                device.SetMode(16 + (i % 50), 16 + (i % 7));
                if (i % 10 == 0)
                {
                    watcher.Shows(device.Head);
                }
            }

            watcher.Shows(device.Head);

            // The server's and the mirror's, and those of a mode that is on its way out.
            Assert.InRange(OwnDescriptors.Count("/memfd:vgpu-feed"), 2, 4);
            Assert.InRange(Maps(), 2, 4);
        }

        device.Stop();
        Assert.Equal((0, 0), (OwnDescriptors.Count("/memfd:vgpu-feed"), Maps()));
    }

    [Fact]
    public void Who_is_not_there_is_said_so()
    {
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => RemoteScreen.Connect("/nonexistent/x.screen", NullLogger.Instance)).Errno);
    }

    private static int Maps() => File.ReadLines("/proc/self/maps").Count(line => line.Contains("/memfd:vgpu-feed", StringComparison.Ordinal));

    private static RemoteScreen Mirror(ScreenUnderTest device) => RemoteScreen.Connect(device.Path, NullLogger.Instance);

    private static void Holds(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(60)), what);

    private static void AssertSame(Head expected, Head actual)
    {
        Picture wanted = expected.Capture(withCursor: false)!;
        Picture shown = actual.Capture(withCursor: false)!;
        Assert.Equal((wanted.Width, wanted.Height), (shown.Width, shown.Height));
        Assert.True(wanted.Pixels.Span.SequenceEqual(shown.Pixels.Span));
    }
}
