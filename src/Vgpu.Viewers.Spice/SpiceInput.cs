using Vgpu.Screens;

namespace Vgpu.Viewers.Spice;

// What SPICE's keyboard and tablet do, as events, and what is held down. The loop's thread.
internal sealed class SpiceInput(Screen screen, int head, bool isTaken)
{
    private const int Notch = 120;
    private const int MostEvents = 8;

    private const ushort BTN_LEFT = 0x110;
    private const ushort BTN_RIGHT = 0x111;
    private const ushort BTN_MIDDLE = 0x112;
    private const ushort BTN_SIDE = 0x113;
    private const ushort BTN_EXTRA = 0x114;

    // The library's own order (inputs-channel.cpp, RED_MOUSE_STATE_TO_LOCAL), not the protocol's.
    private static readonly (uint Mask, ushort Code)[] s_buttons =
        [(0x01, BTN_LEFT), (0x02, BTN_RIGHT), (0x04, BTN_MIDDLE), (0x40, BTN_SIDE), (0x80, BTN_EXTRA)];

    private readonly ScanCodes _scanCodes = new();
    private readonly HashSet<ushort> _keys = [];
    private uint _buttons;
    private int _width;
    private int _height;

    private IInputSink? Sink => isTaken ? screen.Input : null;

    internal void Scan(byte fragment)
    {
        if (!_scanCodes.TryTake(fragment, out ushort key, out bool isDown))
        {
            return;
        }

        // A client that holds a key repeats it; the guest does that by itself.
        if (isDown ? _keys.Add(key) : _keys.Remove(key))
        {
            Sink?.Send([InputEvent.Key(key, isDown)]);
        }
    }

    internal void SetSize(int width, int height) => (_width, _height) = (width, height);

    internal void Move(int x, int y, uint buttons)
    {
        Span<InputEvent> events = stackalloc InputEvent[MostEvents];
        events[0] = InputEvent.Pointer(head, x, y, _width, _height);
        Sink?.Send(events[..Press(buttons, events, 1)]);
    }

    // Downwards is positive here.
    internal void Turn(int wheel, uint buttons)
    {
        Span<InputEvent> events = stackalloc InputEvent[MostEvents];
        events[0] = InputEvent.Scroll(0, wheel < 0 ? Notch : -Notch);
        Sink?.Send(events[..Press(buttons, events, wheel == 0 ? 0 : 1)]);
    }

    internal void Press(uint buttons)
    {
        Span<InputEvent> events = stackalloc InputEvent[MostEvents];
        if (Press(buttons, events, 0) is var count and > 0)
        {
            Sink?.Send(events[..count]);
        }
    }

    /// <summary>Nobody is there any more to let go of what is held.</summary>
    internal void ReleaseAll()
    {
        foreach (ushort key in _keys)
        {
            Sink?.Send([InputEvent.Key(key, isDown: false)]);
        }

        _keys.Clear();
        Press(0);
    }

    private int Press(uint buttons, Span<InputEvent> events, int count)
    {
        foreach ((uint mask, ushort code) in s_buttons)
        {
            if (((buttons ^ _buttons) & mask) != 0)
            {
                events[count++] = InputEvent.Button(code, (buttons & mask) != 0);
            }
        }

        _buttons = buttons;
        return count;
    }
}
