using System.Collections;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// What one viewer does with keyboard and pointer, as events of the screen. Knows what it holds pressed, so that all can be
/// let go when it leaves. One thread at a time.
/// </summary>
internal sealed class ViewerInput(Screen screen, int head)
{
    private const ushort KEY_LEFTSHIFT = 42;
    private const ushort KEY_RIGHTSHIFT = 54;
    private const ushort BTN_LEFT = 0x110;
    private const ushort BTN_RIGHT = 0x111;
    private const ushort BTN_MIDDLE = 0x112;
    private const int Notch = 120;
    private const int MaxEvents = 16;

    private readonly BitArray _pressed = new(InputEvent.MaxCode + 1);
    private readonly InputEvent[] _events = new InputEvent[MaxEvents];
    private int _count;
    private byte _buttons;
    private bool _isCapsLocked;

    /// <summary>KeyEvent (RFC 6143, 7.5.4). A symbol that no key has is dropped.</summary>
    internal void Key(uint keysym, bool isDown)
    {
        (ushort code, bool? shift) = Keysyms.Find(keysym);
        if (code == 0)
        {
            return;
        }

        if (keysym == Keysyms.XK_Caps_Lock && isDown && !_pressed[code])
        {
            _isCapsLocked = !_isCapsLocked;
        }

        bool isShifted = _pressed[KEY_LEFTSHIFT] || _pressed[KEY_RIGHTSHIFT];
        bool needed = (shift ?? isShifted) ^ (shift is not null && _isCapsLocked && Keysyms.IsLetter(keysym));
        if (isDown && needed != isShifted)
        {
            PressWithOtherShift(code, needed);
            return;
        }

        Press(code, isDown);
        Send();
    }

    /// <summary>QEMU's extended key event: which key it was, whatever it means to the viewer.</summary>
    internal void Scancode(uint scancode, uint keysym, bool isDown)
    {
        ushort code = XtScancodes.Find(scancode);
        if (code == 0)
        {
            Key(keysym, isDown);
            return;
        }

        Press(code, isDown);
        Send();
    }

    /// <summary>PointerEvent (RFC 6143, 7.5.5) at a place of a picture of this size.</summary>
    internal void Pointer(byte buttons, int x, int y, int width, int height)
    {
        _events[_count++] = InputEvent.Pointer(head, x, y, width, height);
        PressButton(buttons, 0, BTN_LEFT);
        PressButton(buttons, 1, BTN_MIDDLE);
        PressButton(buttons, 2, BTN_RIGHT);
        int risen = buttons & ~_buttons;
        int right = IsSet(risen, 6) - IsSet(risen, 5);
        int up = IsSet(risen, 3) - IsSet(risen, 4);
        if (right != 0 || up != 0)
        {
            _events[_count++] = InputEvent.Scroll(right * Notch, up * Notch);
        }

        _buttons = buttons;
        Send();
    }

    /// <summary>Lets go of all that is pressed.</summary>
    internal void ReleaseAll()
    {
        for (int code = 1; code < _pressed.Length; code++)
        {
            if (_pressed[code])
            {
                if (code is BTN_LEFT or BTN_RIGHT or BTN_MIDDLE)
                {
                    Change((ushort)code, isDown: false, InputEvent.Button((ushort)code, false));
                }
                else
                {
                    Press((ushort)code, isDown: false);
                }

                Send();
            }
        }

        _buttons = 0;
    }

    // The guest's keyboard has to give that symbol: Shift is pressed or let go for as long as the key goes down.
    private void PressWithOtherShift(ushort code, bool needed)
    {
        bool left = _pressed[KEY_LEFTSHIFT];
        bool right = _pressed[KEY_RIGHTSHIFT];
        if (needed)
        {
            Press(KEY_LEFTSHIFT, isDown: true);
        }
        else
        {
            Press(KEY_LEFTSHIFT, isDown: false);
            Press(KEY_RIGHTSHIFT, isDown: false);
        }

        Send();
        Press(code, isDown: true);
        Send();
        if (needed)
        {
            Press(KEY_LEFTSHIFT, isDown: false);
        }
        else
        {
            Restore(KEY_LEFTSHIFT, left);
            Restore(KEY_RIGHTSHIFT, right);
        }

        Send();
    }

    private void Restore(ushort code, bool wasDown)
    {
        if (wasDown)
        {
            Press(code, isDown: true);
        }
    }

    // A release of what is not pressed is none; a press of what is pressed is the viewer's repetition, and the guest repeats by itself.
    private void Press(ushort code, bool isDown) => Change(code, isDown, InputEvent.Key(code, isDown));

    private void PressButton(byte buttons, int bit, ushort code)
    {
        bool isDown = IsSet(buttons, bit) != 0;
        Change(code, isDown, InputEvent.Button(code, isDown));
    }

    private void Change(ushort code, bool isDown, InputEvent happened)
    {
        if (_pressed[code] != isDown)
        {
            _pressed[code] = isDown;
            _events[_count++] = happened;
        }
    }

    private void Send()
    {
        if (_count != 0)
        {
            screen.Input?.Send(_events.AsSpan(0, _count));
            _count = 0;
        }
    }

    private static int IsSet(int bits, int bit) => (bits >> bit) & 1;
}
