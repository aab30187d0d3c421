// What people do, as the guest's driver gets it.
using Vgpu.Screens;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class EventTests
{
    private const ushort KeyA = 30;
    private const ushort KeyShift = 42;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Keys_arrive_in_order_a_frame_for_each_moment(bool msix)
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard, msix).Start();
        if (msix)
        {
            // No vector was set: what is used is seen in the ring.
            guest.Sink.Send([Key(KeyA, true)]);
            Assert.True(SpinWait.SpinUntil(() => guest.Events.UsedIndex == 2, Testing.FakeDriver.Timeout));
            return;
        }

        Assert.Equal("1.2a=1", guest.Frame(Key(KeyShift, true)));
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
        Assert.Equal("1.1e=0 1.2a=0", guest.Frame(Key(KeyA, false), Key(KeyShift, false)));
        Assert.Equal("1.1e=1 1.1e=0", guest.Frame(Key(KeyA, true), Key(KeyA, false)));
    }

    [Fact]
    public void What_a_device_does_not_have_and_what_is_no_news_is_left_out()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start();
        guest.SendUnheard(Key(249, true), Key(BTN_LEFT, true), Key(MaxCode, true), Button(KeyA, true), Pointer(0, 5, 5, 10, 10), Scroll(0, 120), Touch(0, 1, true, 5, 5, 10, 10));
        guest.SendUnheard(new InputEvent(InputKind.Key, 0, 0xffff, 1, 0, 0), new InputEvent((InputKind)99, 0, KeyA, 1, 0, 0), new InputEvent(InputKind.Key, 0, KeyA, 2, 0, 0));
        guest.SendUnheard(Key(KeyA, false));
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
        guest.SendUnheard(Key(KeyA, true));
        guest.SendUnheard();
        Assert.Equal("1.1e=0", guest.Frame(Key(KeyA, false)));
    }

    [Fact]
    public void A_tablet_tells_where_before_it_presses()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet).Start();
        Assert.Equal("3.0=16384 3.1=8192 1.110=1", guest.Frame(Pointer(0, 0, 0, 1, 2), Button(BTN_LEFT, true)));
        Assert.Equal("3.0=32767", guest.Frame(new InputEvent(InputKind.Pointer, 0, 0, 0, MaxPlace, 8192)));
        Assert.Equal("1.110=0 1.117=1", guest.Frame(Button(BTN_LEFT, false), Button(BTN_TASK, true)));
        guest.SendUnheard(new InputEvent(InputKind.Pointer, 0, 0, 0, MaxPlace, 8192), Key(KeyA, true), Button(BTN_TOUCH, true));
        Assert.Equal("3.0=0 3.1=0", guest.Frame(new InputEvent(InputKind.Pointer, 3, 0, 0, 0, 0)));
    }

    [Fact]
    public void Wheels_turn_finely_and_by_whole_notches()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet).Start();
        Assert.Equal("2.b=120 2.8=1", guest.Frame(Scroll(0, 120)));
        Assert.Equal("2.b=-360 2.8=-3 2.c=240 2.6=2", guest.Frame(Scroll(240, -360)));
        Assert.Equal("2.b=50", guest.Frame(Scroll(0, 50)));
        Assert.Equal("2.b=50", guest.Frame(Scroll(0, 50)));
        Assert.Equal("2.b=50 2.8=1", guest.Frame(Scroll(0, 50)));

        // The other way: what was begun is not gone on with.
        Assert.Equal("2.b=-100", guest.Frame(Scroll(0, -100)));
        Assert.Equal("2.b=-20 2.8=-1", guest.Frame(Scroll(0, -20)));
        guest.SendUnheard(Scroll(0, 0));
    }

    [Fact]
    public void Fingers_are_slots_and_the_first_of_them_a_pointer()
    {
        using var guest = new InputGuest(VirtioInputKind.Touch).Start();
        Assert.Equal("3.39=0 3.35=16384 3.36=16384 3.0=16384 3.1=16384 1.14a=1", guest.Frame(Touch(0, 0, true, 0, 0, 1, 1)));
        Assert.Equal("3.2f=4 3.39=1 3.35=8192 3.36=8192", guest.Frame(Touch(0, 4, true, 0, 0, 2, 2)));
        Assert.Equal("3.36=24576 3.2f=0 3.35=24576 3.0=24576", guest.Frame(Touch(0, 4, true, 0, 1, 2, 2), new InputEvent(InputKind.Touch, 0, 0, 1, 24576, 16384)));

        // The second finger is the pointer once the first is away.
        Assert.Equal("3.39=-1 3.0=8192 3.1=24576", guest.Frame(Touch(0, 0, false, 0, 0, 1, 1)));
        Assert.Equal("3.2f=4 3.39=-1 1.14a=0", guest.Frame(Touch(0, 4, false, 0, 0, 1, 1)));
        Assert.Equal("3.2f=9 3.39=2 3.35=8192 3.36=8192 3.1=8192 1.14a=1", guest.Frame(Touch(0, 9, true, 0, 0, 2, 2)));
        Assert.Equal("3.39=-1 1.14a=0 3.39=3 1.14a=1", guest.Frame(Touch(0, 9, false, 0, 0, 2, 2), Touch(0, 9, true, 0, 0, 2, 2)));
    }

    [Fact]
    public void Ten_fingers_come_down_at_once()
    {
        using var guest = new InputGuest(VirtioInputKind.Touch).Start();
        var model = new GuestModel(VirtioInputKind.Touch);
        InputEvent[] fingers = [.. Enumerable.Range(0, MaxSlots).Select(slot => Touch(0, slot, true, slot, 2 * slot, 20, 20))];
        guest.Sink.Send(fingers);
        guest.Driver.WaitFor(() =>
        {
            guest.TakeAll().ForEach(model.Apply);
            return model.ToString().EndsWith($"9:{fingers[9].X},{fingers[9].Y}", StringComparison.Ordinal);
        });
        Assert.Equal($"[{BTN_TOUCH}] {fingers[0].X},{fingers[0].Y} {string.Join(' ', fingers.Select((finger, i) => $"{i}:{finger.X},{finger.Y}"))}", model.ToString());
    }

    [Fact]
    public void The_set_gives_each_device_its_own()
    {
        using var keyboard = new InputGuest(VirtioInputKind.Keyboard).Start();
        using var tablet = new InputGuest(VirtioInputKind.Tablet).Start();
        using var touch = new InputGuest(VirtioInputKind.Touch).Start();
        var screen = new Screen(1, new DisplayMode(1024, 768)) { Input = new VirtioInputSet(keyboard.Device, tablet.Device, touch.Device) };
        screen.Input.Send([Touch(0, 0, true, 0, 0, 2, 2), Key(KeyA, true), Button(BTN_RIGHT, true)]);
        Assert.Equal("1.1e=1 0.0=0", keyboard.Take(2));
        Assert.Equal("1.111=1 0.0=0", tablet.Take(2));
        Assert.Equal("3.39=0 3.35=8192 3.36=8192 3.0=8192 3.1=8192 1.14a=1 0.0=0", touch.Take(7));
        ((VirtioInputSet)screen.Input).ReleaseAll();
        Assert.Equal("1.1e=0 0.0=0", keyboard.Take(2));
        Assert.Equal("1.111=0 0.0=0", tablet.Take(2));
        Assert.Equal("3.39=-1 1.14a=0 0.0=0", touch.Take(3));
    }

    [Fact]
    public void Without_a_touch_screen_the_first_finger_is_the_pointer()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet).Start();
        Assert.Equal("3.0=16384 3.1=16384 1.110=1", guest.Frame(Touch(0, 3, true, 0, 0, 1, 1)));
        guest.SendUnheard(Touch(0, 0, true, 0, 0, 5, 5));
        Assert.Equal("3.0=8192 3.1=8192", guest.Frame(Touch(0, 3, true, 0, 0, 2, 2), Touch(0, 0, true, 1, 1, 2, 2)));
        guest.SendUnheard(Touch(0, 0, false, 0, 0, 5, 5));
        Assert.Equal("1.110=0", guest.Frame(Touch(0, 3, false, 0, 0, 2, 2)));
        Assert.Equal("3.0=24576 3.1=24576 1.110=1", guest.Frame(Touch(0, 0, true, 1, 1, 2, 2)));
    }

    [Fact]
    public void Lights_are_kept_and_told()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start();
        var set = (VirtioInputSet)guest.Sink;
        var told = new List<VirtioInputLeds>();
        set.LedsChanged += told.Add;
        guest.SetStatus(EV_LED, LED_CAPSL, 1);
        guest.SetStatus(EV_LED, LED_NUML, 1);
        guest.SetStatus(EV_LED, LED_CAPSL, 1);
        guest.SetStatus(EV_LED, LED_CAPSL, 0);
        guest.SetStatus(EV_LED, 9, 1);
        guest.SetStatus(0xffff, 0xffff, -1);
        guest.SetStatus(EV_LED, LED_SCROLLL, 1, length: 7);
        Assert.Equal(VirtioInputLeds.NumLock, set.Leds);
        guest.Driver.Reset();
        Assert.Equal(VirtioInputLeds.None, set.Leds);
        Assert.Equal([VirtioInputLeds.CapsLock, VirtioInputLeds.CapsLock | VirtioInputLeds.NumLock, VirtioInputLeds.NumLock, VirtioInputLeds.None], told);
    }

    [Fact]
    public void Before_a_driver_and_after_a_reset_nothing_is_pressed()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard);
        guest.Sink.Send([Key(KeyA, true)]);
        guest.Start();
        Assert.Equal("1.2a=1", guest.Frame(Key(KeyShift, true)));
        guest.Driver.Reset();
        guest.Sink.Send([Key(KeyA, true)]);
        guest.Start();
        guest.SendUnheard(Key(KeyShift, false), Key(KeyA, false));
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
        guest.Function.Reset();
        guest.Start(buffers: 0);
        guest.Sink.Send([Key(KeyShift, true)]);
        guest.Driver.Reset();
        guest.Start();
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
    }
}
