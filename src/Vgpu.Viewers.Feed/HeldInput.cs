using System.Numerics;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// Which keys, buttons and fingers are down. One thread.
internal sealed class HeldInput
{
    /// <summary>No more things can be held at the same time.</summary>
    internal const int Most = (2 * (InputEvent.MaxCode + 1)) + InputEvent.MaxSlots;

    private const int Bits = 64;
    private const int Words = (InputEvent.MaxCode + Bits) / Bits;
    private static readonly InputKind[] s_kinds = [InputKind.Key, InputKind.Button, InputKind.Touch];

    private readonly ulong[] _keys = new ulong[Words];
    private readonly ulong[] _buttons = new ulong[Words];
    private readonly ulong[] _slots = new ulong[1];

    // Where each finger is: it is lifted there.
    private readonly InputEvent[] _touches = new InputEvent[InputEvent.MaxSlots];

    /// <summary>Whether this ends something that is held.</summary>
    internal bool IsRelease(in InputEvent input) =>
        Of(input.Kind) is { } held && input.Value == 0 && (held[input.Code / Bits] & (1UL << (input.Code % Bits))) != 0;

    /// <summary>Remembers a valid event.</summary>
    internal void Note(in InputEvent input)
    {
        if (Of(input.Kind) is not { } held)
        {
            return;
        }

        ulong bit = 1UL << (input.Code % Bits);
        held[input.Code / Bits] = input.Value == 0 ? held[input.Code / Bits] & ~bit : held[input.Code / Bits] | bit;
        if (input.Kind == InputKind.Touch)
        {
            _touches[input.Code] = input;
        }
    }

    /// <summary>Lets go of one thing that is held; false where nothing is.</summary>
    internal bool TryRelease(out InputEvent release)
    {
        foreach (InputKind kind in s_kinds)
        {
            ulong[] held = Of(kind)!;
            for (int word = 0; word < held.Length; word++)
            {
                if (held[word] == 0)
                {
                    continue;
                }

                var code = (ushort)((word * Bits) + BitOperations.TrailingZeroCount(held[word]));
                release = kind == InputKind.Touch ? _touches[code] with { Value = 0 } : new InputEvent(kind, 0, code, 0, 0, 0);
                Note(release);
                return true;
            }
        }

        release = default;
        return false;
    }

    private ulong[]? Of(InputKind kind) => kind switch
    {
        InputKind.Key => _keys,
        InputKind.Button => _buttons,
        InputKind.Touch => _slots,
        _ => null,
    };
}
