// What people do while no driver takes it from the devices.
using Vgpu.Screens;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class FallbackTests : IInputSink
{
    private const ushort KeyA = 30;
    private const ushort KeyB = 48;
    private readonly List<InputEvent> _heard = [];

    void IInputSink.Send(ReadOnlySpan<InputEvent> events) => _heard.AddRange(events);

    [Fact]
    public void A_key_goes_to_the_driver_or_elsewhere_never_both_and_is_let_go_where_it_was_pressed()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard);
        var set = (VirtioInputSet)guest.Sink;
        set.Send([Key(KeyA, true)]);
        set.Fallback = this;

        // Nobody heard that it was pressed.
        set.Send([Key(KeyA, false), Key(KeyA, true)]);
        Assert.Equal([Key(KeyA, true)], Heard());

        guest.Start();
        Assert.Equal("1.30=1", guest.Frame(Key(KeyB, true)));
        guest.SendUnheard(Key(KeyA, false));
        Assert.Equal([Key(KeyA, false)], Heard());
        Assert.Equal("1.30=0", guest.Frame(Key(KeyB, false)));
        Assert.Empty(Heard());

        // No tablet is there at all.
        set.Send([Pointer(0, 1, 1, 2, 2), Button(BTN_LEFT, true), Scroll(0, 120), Touch(0, 1, true, 1, 1, 2, 2)]);
        Assert.Equal([Pointer(0, 1, 1, 2, 2), Button(BTN_LEFT, true), Scroll(0, 120)], Heard());
        set.ReleaseAll();
        Assert.Equal([Button(BTN_LEFT, false)], Heard());
        set.Send([Button(BTN_LEFT, false)]);
        Assert.Empty(Heard());
    }

    [Fact]
    public void Another_fallback_leaves_nothing_pressed_at_the_former()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet);
        var set = (VirtioInputSet)guest.Sink;
        set.Fallback = this;
        set.Send([Key(KeyA, true), Button(BTN_LEFT, true), new InputEvent(InputKind.Key, 0, 0xffff, 1, 0, 0)]);
        _ = Heard();

        set.Fallback = null;

        Assert.Equal([Key(KeyA, false), Button(BTN_LEFT, false)], Heard());
        set.Send([Key(KeyA, false)]);
        Assert.Empty(Heard());
    }

    private InputEvent[] Heard()
    {
        InputEvent[] heard = [.. _heard];
        _heard.Clear();
        return heard;
    }
}
