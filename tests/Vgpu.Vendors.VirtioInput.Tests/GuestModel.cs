// What a guest's input core makes of events (drivers/input/input.c, input-mt.c), and what it would complain of.
using System.Globalization;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

internal sealed class GuestModel(VirtioInputKind kind)
{
    private readonly InputDescription _description = InputDescription.Of(kind, string.Empty);
    private readonly SortedSet<ushort> _pressed = [];
    private readonly (int Id, int X, int Y)[] _slots = [.. Enumerable.Repeat((-1, 0, 0), InputEvent.MaxSlots)];
    private int _x;
    private int _y;
    private int _slot;
    private bool _open;

    /// <summary>Hi-res and whole notches of the wheel so far.</summary>
    internal (int Fine, int Notches) Wheel { get; private set; }

    /// <summary>Fails the test where an event is one that the device may not send.</summary>
    internal void Apply(VirtioInputEvent happened)
    {
        if (happened.Type == EV_SYN)
        {
            Assert.True(_open, "an empty frame");
            _open = false;
            return;
        }

        _open = true;
        Assert.True(_description.Has(happened.Type, happened.Code), $"{happened} was not announced");
        switch (happened.Type, happened.Code)
        {
            case (EV_KEY, _):
                Assert.True(happened.Value == 1 ? _pressed.Add(happened.Code) : _pressed.Remove(happened.Code), $"{happened} is no news");
                break;
            case (EV_ABS, ABS_X):
                _x = happened.Value;
                break;
            case (EV_ABS, ABS_Y):
                _y = happened.Value;
                break;
            case (EV_ABS, ABS_MT_SLOT):
                Assert.InRange(happened.Value, 0, InputEvent.MaxSlots - 1);
                _slot = happened.Value;
                break;
            case (EV_ABS, ABS_MT_TRACKING_ID):
                Assert.NotEqual(_slots[_slot].Id, happened.Value);
                _slots[_slot].Id = happened.Value;
                break;
            case (EV_ABS, ABS_MT_POSITION_X):
                _slots[_slot].X = happened.Value;
                break;
            case (EV_ABS, ABS_MT_POSITION_Y):
                _slots[_slot].Y = happened.Value;
                break;
            case (EV_REL, REL_WHEEL_HI_RES):
                Wheel = (Wheel.Fine + happened.Value, Wheel.Notches);
                break;
            case (EV_REL, REL_WHEEL):
                Wheel = (Wheel.Fine, Wheel.Notches + happened.Value);
                break;
        }
    }

    /// <summary>What is pressed and where everything is; fingers without their ids.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"[{string.Join(' ', _pressed)}] {_x},{_y} {string.Join(' ', _slots.Select((slot, i) => slot.Id < 0 ? string.Empty : $"{i}:{slot.X},{slot.Y}"))}");
}
