using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>What people do while no driver takes it from the devices, for another sink. Any thread; allocates nothing.</summary>
internal sealed class UndrivenInput
{
    // linux/input-event-codes.h: between these are buttons.
    private const ushort BTN_MISC = 0x100;
    private const ushort KEY_OK = 0x160;

    private readonly Lock _lock = new();
    private IInputSink? _sink;

    // Keys and buttons have numbers apart.
    private InputState.KeyBits _pressed;

    internal IInputSink? Sink
    {
        get
        {
            lock (_lock)
            {
                return _sink;
            }
        }

        set
        {
            lock (_lock)
            {
                Release();
                _sink = value;
            }
        }
    }

    /// <summary>Of one moment: keys and the pointer's doings where they are wanted, and releases of what was pressed here.</summary>
    internal void Send(ReadOnlySpan<InputEvent> events, bool keys, bool pointer)
    {
        lock (_lock)
        {
            if (_sink is null)
            {
                return;
            }

            foreach (ref readonly InputEvent happened in events)
            {
                if (happened.IsValid && Takes(happened, keys, pointer))
                {
                    _sink.Send(new ReadOnlySpan<InputEvent>(in happened));
                }
            }
        }
    }

    internal void ReleaseAll()
    {
        lock (_lock)
        {
            Release();
        }
    }

    private bool Takes(in InputEvent happened, bool keys, bool pointer)
    {
        switch (happened.Kind)
        {
            case InputKind.Key:
            case InputKind.Button:
                ref ulong word = ref _pressed[happened.Code >> 6];
                ulong bit = 1UL << (happened.Code & 63);
                if (happened.Value == 0)
                {
                    bool wasPressed = (word & bit) != 0;
                    word &= ~bit;
                    return wasPressed;
                }

                bool isWanted = happened.Kind == InputKind.Key ? keys : pointer;
                word |= isWanted ? bit : 0;
                return isWanted;
            case InputKind.Pointer:
            case InputKind.Scroll:
                return pointer;
            default:
                return false;
        }
    }

    private void Release()
    {
        Span<ulong> words = _pressed;
        for (int word = 0; word < words.Length; word++)
        {
            for (; words[word] != 0; words[word] &= words[word] - 1)
            {
                var code = (ushort)((64 * word) + BitOperations.TrailingZeroCount(words[word]));
                InputEvent release = code is >= BTN_MISC and < KEY_OK ? InputEvent.Button(code, false) : InputEvent.Key(code, false);
                _sink?.Send(MemoryMarshal.CreateReadOnlySpan(ref release, 1));
            }
        }
    }
}
