// What is pressed and what the guest was told of it, as saved state.
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput;

internal sealed partial class GuestView
{
    /// <summary>Bytes of a saved state at most.</summary>
    internal static int MaxStateLength { get; } = Marshal.SizeOf<SavedView>() + (EventBacklog.Capacity * VirtioInputEvent.Length);

    internal void SaveState(StateWriter state)
    {
        state.Write(new SavedView { Is = _is, Told = _told, NextContact = _nextContact, Pointing = _pointing, Waiting = _waiting.Count });
        for (int i = 0; i < _waiting.Count; i++)
        {
            state.Write(_waiting[i]);
        }
    }

    /// <summary>After a reset. Only what people could have done and this kind of device would have said is taken.</summary>
    internal void LoadState(StateReader state)
    {
        SavedView saved = state.Read<SavedView>();
        Require(saved.Is);
        Require(saved.Told.State);
        StateReader.Require(saved.NextContact is >= 0 and <= InputState.MaxContact, "the next contact");
        StateReader.Require(saved.Pointing is >= -1 and < InputEvent.MaxSlots, "the finger that points");
        StateReader.Require(saved.Told.Slot is >= 0 and < InputEvent.MaxSlots, "the slot");
        StateReader.Require(Math.Abs((long)saved.Told.RestUp) < Notch && Math.Abs((long)saved.Told.RestRight) < Notch, "a wheel");
        StateReader.Require(saved.Waiting is >= 0 and <= EventBacklog.Capacity, "the number of events");
        for (int i = 0; i < saved.Waiting; i++)
        {
            VirtioInputEvent waiting = state.Read<VirtioInputEvent>();
            StateReader.Require(waiting is (EV_SYN, SYN_REPORT, 0) || (waiting.Type != EV_LED && description.Has(waiting.Type, waiting.Code)), "an event that there is not");
            _waiting.Add(waiting.Type, waiting.Code, waiting.Value);
        }

        StateReader.Require(saved.Waiting == 0 || _waiting[saved.Waiting - 1].Type == EV_SYN, "a frame without an end");
        _is = saved.Is;
        _told = saved.Told;
        _nextContact = saved.NextContact;
        _pointing = saved.Pointing;
        StateReader.Require(!IsBehind || HasEvent, "a difference that nobody would be told of");
    }

    private void Require(in InputState state)
    {
        for (int code = 0; code < InputState.Keys; code++)
        {
            StateReader.Require(!state.IsPressed(code) || description.Has(EV_KEY, code), "a key that there is not");
        }

        StateReader.Require(IsPlace(state.X) && IsPlace(state.Y), "the place of the pointer");
        foreach (InputState.Contact finger in (ReadOnlySpan<InputState.Contact>)state.Fingers)
        {
            StateReader.Require(finger.Id is >= -1 and <= InputState.MaxContact && IsPlace(finger.X) && IsPlace(finger.Y), "a finger");
        }
    }

    private static bool IsPlace(int value) => value is >= 0 and <= InputEvent.MaxPlace;

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedView
    {
        internal InputState Is;
        internal Telling Told;
        internal int NextContact;
        internal int Pointing;
        internal int Waiting;
    }
}
