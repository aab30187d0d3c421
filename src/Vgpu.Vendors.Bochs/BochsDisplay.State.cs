using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Vfio.Migration;

namespace Vgpu.Vendors.Bochs;

// What of a bochs-display moves to another server beside its framebuffer, which is a BAR's memory: the registers, and the
// monitor that the guest knows.
internal sealed partial class BochsDisplay : IVfioMigratable
{
    long IVfioMigratable.MaxStateLength => Marshal.SizeOf<SavedMonitor>() + BochsMmio.MaxStateLength;

    void IVfioMigratable.SaveState(StateWriter state)
    {
        HeadState shown = _head.State;
        state.Write(new SavedMonitor
        {
            Width = shown.PreferredMode.Width,
            Height = shown.PreferredMode.Height,
            RefreshHertz = shown.PreferredMode.RefreshHertz,
            IsConnected = shown.IsConnected ? 1 : 0,
        });
        _mmio.SaveState(state);
    }

    void IVfioMigratable.LoadState(StateReader state)
    {
        SavedMonitor saved = state.Read<SavedMonitor>();
        var mode = new DisplayMode(saved.Width, saved.Height, saved.RefreshHertz);
        StateReader.Require(mode.IsValid && saved.IsConnected is 0 or 1, "the mode of a monitor");
        _mmio.LoadState(state);
        _head.RequestMode(mode);
        _head.SetConnected(saved.IsConnected == 1);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct SavedMonitor
    {
        internal int Width;
        internal int Height;
        internal int RefreshHertz;
        internal int IsConnected;
    }
}
