// What of an input device moves to another server or outlives its process: what waits, what is pressed, the lights, and what
// the driver looks at in the configuration. Its features and queues are the transport's.
using System.Runtime.InteropServices;
using Vgpu.Vfio.Migration;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput;

public sealed partial class VirtioInputDevice : IVfioMigratable
{
    long IVfioMigratable.MaxStateLength => Marshal.SizeOf<SavedDevice>() + GuestView.MaxStateLength;

    long IVfioMigratable.MaxCheckpointLength => ((IVfioMigratable)this).MaxStateLength;

    void IVfioMigratable.SaveState(StateWriter state)
    {
        state.Write(new SavedDevice { Kind = (byte)Kind, Select = _select, Subselect = _subselect, Leds = (byte)Leds });
        _view.SaveState(state);
    }

    void IVfioMigratable.LoadState(StateReader state)
    {
        SavedDevice saved = state.Read<SavedDevice>();
        StateReader.Require(saved.Kind == (byte)Kind, "an input device of another kind");
        for (int light = 0; light < 8; light++)
        {
            StateReader.Require((saved.Leds & (1 << light)) == 0 || _description.Has(EV_LED, light), "a light that there is not");
        }

        _view.LoadState(state);
        _select = saved.Select;
        _subselect = saved.Subselect;
        SetLeds((VirtioInputLeds)saved.Leds);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedDevice
    {
        internal byte Kind;
        internal byte Select;
        internal byte Subselect;
        internal byte Leds;
    }
}
