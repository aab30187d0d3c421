// What is pressed, and where the pointer and the fingers are: once as it is, once as the guest was told.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>Fixed layout: it is part of the saved state.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct InputState
{
    /// <summary>The greatest tracking id; the next is 0 again.</summary>
    internal const int MaxContact = 0xffff;

    internal const int Keys = InputEvent.MaxCode + 1;

    internal KeyBits Pressed;
    internal int X;
    internal int Y;
    internal Contacts Fingers;

    /// <summary>Nothing pressed, no finger, the pointer where an input device of Linux begins.</summary>
    internal static InputState Idle
    {
        get
        {
            InputState idle = default;
            foreach (ref Contact finger in (Span<Contact>)idle.Fingers)
            {
                finger.Id = -1;
            }

            return idle;
        }
    }

    internal readonly bool IsPressed(int code) => (Pressed[code >> 6] & (1UL << (code & 63))) != 0;

    internal void Press(int code, bool isDown)
    {
        ulong bit = 1UL << (code & 63);
        if (isDown)
        {
            Pressed[code >> 6] |= bit;
        }
        else
        {
            Pressed[code >> 6] &= ~bit;
        }
    }

    internal static bool AreSame(in InputState one, in InputState other) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<InputState>(in one)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<InputState>(in other)));

    /// <summary>A bit for each KEY_ and BTN_ number.</summary>
    [InlineArray(Keys / 64)]
    internal struct KeyBits
    {
        private ulong _first;
    }

    [InlineArray(InputEvent.MaxSlots)]
    internal struct Contacts
    {
        private Contact _first;
    }

    /// <summary>A slot of multi-touch protocol B.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    internal record struct Contact
    {
        /// <summary>Its tracking id, anew for each time that a finger comes down; -1: none is.</summary>
        internal int Id;
        internal int X;
        internal int Y;
    }
}
