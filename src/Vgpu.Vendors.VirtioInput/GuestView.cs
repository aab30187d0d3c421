// What goes to the guest. What is so and what the guest was told are kept apart: where they differ, because a frame found no
// room, the difference follows once there is some. So a release is never lost, and a slow guest gets the newest place.
using System.Runtime.InteropServices;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>
/// The state of one device and the events that wait. Every member with the device's lock held; none allocates.
/// "Told" is what the guest will believe once it has the events that wait.
/// </summary>
internal sealed partial class GuestView(InputDescription description)
{
    // One event and the SYN_REPORT after it; what a finger may need: slot, id, place, and the pointer that goes with it.
    private const int OneEvent = 2;
    private const int WheelEvents = 5;
    private const int FingerEvents = 8;
    private const int Notch = 120;

    private readonly EventBacklog _waiting = new();
    private InputState _is = InputState.Idle;
    private Telling _told = Telling.Nothing;
    private int _nextContact;

    // The finger that is a pointer where there is no touch screen; -1: none.
    private int _pointing = -1;

    /// <summary>Whether there is an event to hand out.</summary>
    internal bool HasEvent => _waiting.Count != 0;

    internal VirtioInputEvent Event => _waiting.First;

    private bool IsBehind => !InputState.AreSame(_is, _told.State);

    internal void Reset()
    {
        _waiting.Clear();
        _is = InputState.Idle;
        _told = Telling.Nothing;
        _nextContact = 0;
        _pointing = -1;
    }

    /// <summary>The first event is handed out; where it was the last, what was left behind follows.</summary>
    internal void RemoveEvent()
    {
        _waiting.RemoveFirst();
        if (!HasEvent)
        {
            CatchUp();
        }
    }

    /// <summary>What happened at one moment: one frame, or none of it where there is no room. False: nothing that the guest is to hear of.</summary>
    internal bool Take(ReadOnlySpan<InputEvent> events, bool fingersPoint)
    {
        CatchUp();
        int before = _waiting.Count;
        Telling toldBefore = _told;
        bool fits = !IsBehind;
        foreach (ref readonly InputEvent happened in events)
        {
            if (happened.IsValid)
            {
                Take(happened, fingersPoint, ref fits);
            }
        }

        if (!fits)
        {
            // What it came to, as far as there is room; so nothing is behind while no event waits.
            _waiting.CutTo(before);
            _told = toldBefore;
            CatchUp();
        }
        else if (_waiting.Count != before)
        {
            EndFrame();
        }

        return IsBehind || HasEvent;
    }

    /// <summary>Nothing is pressed any more, and no finger is down: nobody is there who could let go.</summary>
    internal bool ReleaseAll()
    {
        ((Span<ulong>)_is.Pressed).Clear();
        foreach (ref InputState.Contact finger in (Span<InputState.Contact>)_is.Fingers)
        {
            finger.Id = -1;
        }

        _pointing = -1;
        CatchUp();
        return IsBehind || HasEvent;
    }

    private void Take(in InputEvent happened, bool fingersPoint, ref bool fits)
    {
        switch (happened.Kind)
        {
            case InputKind.Key when description.Kind == VirtioInputKind.Keyboard:
            case InputKind.Button when description.Kind == VirtioInputKind.Tablet:
                Press(happened.Code, happened.Value == 1, ref fits);
                break;
            case InputKind.Pointer when description.Kind == VirtioInputKind.Tablet:
                Point(happened.X, happened.Y, ref fits);
                break;
            case InputKind.Scroll when description.Kind == VirtioInputKind.Tablet:
                fits = fits && TellScroll(happened.X, happened.Y);
                break;
            case InputKind.Touch when description.Kind == VirtioInputKind.Touch:
                Touch(happened, ref fits);
                break;
            case InputKind.Touch when fingersPoint && description.Kind == VirtioInputKind.Tablet:
                PointByFinger(happened, ref fits);
                break;
        }
    }

    private void Press(ushort code, bool isDown, ref bool fits)
    {
        if (description.Has(EV_KEY, code))
        {
            _is.Press(code, isDown);
            fits = fits && TellKey(code);
        }
    }

    private void Point(int x, int y, ref bool fits)
    {
        _is.X = x;
        _is.Y = y;
        fits = fits && TellPlace();
    }

    // The first finger that comes down, until it is lifted; others beside it are nobody's pointer.
    private void PointByFinger(in InputEvent happened, ref bool fits)
    {
        bool isDown = happened.Value == 1;
        if (_pointing < 0 && isDown)
        {
            _pointing = happened.Code;
        }

        if (_pointing == happened.Code)
        {
            _pointing = isDown ? _pointing : -1;
            Point(happened.X, happened.Y, ref fits);
            Press(BTN_LEFT, isDown, ref fits);
        }
    }

    private void Touch(in InputEvent happened, ref bool fits)
    {
        ref InputState.Contact finger = ref _is.Fingers[happened.Code];
        if (happened.Value == 0)
        {
            finger.Id = -1;
        }
        else
        {
            if (finger.Id < 0)
            {
                finger.Id = _nextContact;
                _nextContact = (_nextContact + 1) & InputState.MaxContact;
            }

            finger.X = happened.X;
            finger.Y = happened.Y;
        }

        EmulatePointer();
        fits = fits && TellFinger(happened.Code);
    }

    // As the kernel's input_mt_report_pointer_emulation: the pointer is the finger that came first.
    private void EmulatePointer()
    {
        int oldest = -1;
        for (int i = 0; i < InputEvent.MaxSlots; i++)
        {
            if (_is.Fingers[i].Id >= 0 && (oldest < 0 || Age(_is.Fingers[i].Id) > Age(_is.Fingers[oldest].Id)))
            {
                oldest = i;
            }
        }

        _is.Press(BTN_TOUCH, oldest >= 0);
        if (oldest >= 0)
        {
            _is.X = _is.Fingers[oldest].X;
            _is.Y = _is.Fingers[oldest].Y;
        }
    }

    private int Age(int contact) => (_nextContact - 1 - contact) & InputState.MaxContact;

    // All that differs, a frame at a time, as far as there is room: where first, then what is pressed there.
    private void CatchUp()
    {
        if (!IsBehind)
        {
            return;
        }

        int before = _waiting.Count;
        bool fits = true;
        for (int slot = 0; slot < InputEvent.MaxSlots && fits; slot++)
        {
            fits = TellFinger(slot);
        }

        fits = fits && TellPlace();
        for (int word = 0; word < InputState.Keys / 64; word++)
        {
            for (ulong differ = _is.Pressed[word] ^ _told.State.Pressed[word]; differ != 0 && fits; differ &= differ - 1)
            {
                fits = TellKey((ushort)((64 * word) + System.Numerics.BitOperations.TrailingZeroCount(differ)));
            }
        }

        if (_waiting.Count != before)
        {
            EndFrame();
        }
    }

    private bool TellKey(ushort code)
    {
        bool isDown = _is.IsPressed(code);
        if (_told.State.IsPressed(code) == isDown)
        {
            return true;
        }

        if (_waiting.Room < OneEvent)
        {
            return false;
        }

        _waiting.Add(EV_KEY, code, isDown ? 1 : 0);
        _told.State.Press(code, isDown);
        return true;
    }

    private bool TellPlace() => TellAxis(ABS_X, _is.X, ref _told.State.X) && TellAxis(ABS_Y, _is.Y, ref _told.State.Y);

    private bool TellAxis(ushort axis, int value, ref int told)
    {
        if (told == value)
        {
            return true;
        }

        if (_waiting.Room < OneEvent)
        {
            return false;
        }

        _waiting.Add(EV_ABS, axis, value);
        told = value;
        return true;
    }

    private bool TellScroll(int right, int up)
    {
        if (_waiting.Room < WheelEvents)
        {
            return false;
        }

        TellWheel(REL_WHEEL_HI_RES, REL_WHEEL, up, ref _told.RestUp);
        TellWheel(REL_HWHEEL_HI_RES, REL_HWHEEL, right, ref _told.RestRight);
        return true;
    }

    // Every movement in 120ths, and beside it the whole notches that have come together (Documentation/input/event-codes.rst).
    private void TellWheel(ushort fine, ushort coarse, int value, ref int rest)
    {
        if (value == 0)
        {
            return;
        }

        rest = Math.Sign(rest) == -Math.Sign(value) ? value : rest + value;
        _waiting.Add(EV_REL, fine, value);
        int notches = rest / Notch;
        if (notches != 0)
        {
            _waiting.Add(EV_REL, coarse, notches);
            rest -= notches * Notch;
        }
    }

    private bool TellFinger(int slot)
    {
        ref InputState.Contact told = ref _told.State.Fingers[slot];
        InputState.Contact now = _is.Fingers[slot];
        if (told == now)
        {
            return true;
        }

        if (_waiting.Room < FingerEvents)
        {
            return false;
        }

        if (told.Id < 0 && now.Id < 0)
        {
            // It came and went unseen.
            told = now;
            return TellPlace() && TellKey(BTN_TOUCH);
        }

        if (_told.Slot != slot)
        {
            _waiting.Add(EV_ABS, ABS_MT_SLOT, slot);
            _told.Slot = slot;
        }

        if (told.Id != now.Id)
        {
            // A new id in a slot ends the finger that was there.
            _waiting.Add(EV_ABS, ABS_MT_TRACKING_ID, now.Id);
        }

        if (now.Id < 0)
        {
            told = now;
            return TellPlace() && TellKey(BTN_TOUCH);
        }

        told.Id = now.Id;
        return TellAxis(ABS_MT_POSITION_X, now.X, ref told.X)
            && TellAxis(ABS_MT_POSITION_Y, now.Y, ref told.Y)
            && TellPlace()
            && TellKey(BTN_TOUCH);
    }

    private void EndFrame() => _waiting.Add(EV_SYN, SYN_REPORT, 0);

    /// <summary>What the guest was told; fixed layout, part of the saved state.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Telling
    {
        internal InputState State;

        // ABS_MT_SLOT.
        internal int Slot;

        // Of each wheel, in 120ths: what is no whole notch yet.
        internal int RestUp;
        internal int RestRight;

        internal static Telling Nothing => new() { State = InputState.Idle };
    }
}
