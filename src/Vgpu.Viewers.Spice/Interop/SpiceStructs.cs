using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice.Interop;

// spice-core.h. The strings live as long as the process.
[StructLayout(LayoutKind.Sequential)]
internal struct SpiceBaseInterface
{
    internal nint Type;
    internal nint Description;
    internal uint MajorVersion;
    internal uint MinorVersion;

    internal static SpiceBaseInterface Of(string type, uint major, uint minor) => new()
    {
        Type = Marshal.StringToCoTaskMemUTF8(type),
        Description = Marshal.StringToCoTaskMemUTF8("vgpu"),
        MajorVersion = major,
        MinorVersion = minor,
    };
}

// spice-core.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceCoreInterface
{
    internal SpiceBaseInterface Base;
    internal delegate* unmanaged<delegate* unmanaged<nint, void>, nint, nint> TimerAdd;
    internal delegate* unmanaged<nint, uint, void> TimerStart;
    internal delegate* unmanaged<nint, void> TimerCancel;
    internal delegate* unmanaged<nint, void> TimerRemove;
    internal delegate* unmanaged<int, int, delegate* unmanaged<int, int, nint, void>, nint, nint> WatchAdd;
    internal delegate* unmanaged<nint, int, void> WatchUpdateMask;
    internal delegate* unmanaged<nint, void> WatchRemove;
    internal delegate* unmanaged<int, SpiceChannelEventInfo*, void> ChannelEvent;
}

// spice-core.h, as far as it is read.
[StructLayout(LayoutKind.Sequential)]
internal struct SpiceChannelEventInfo
{
    internal int ConnectionId;
    internal int Type;
    internal int Id;
    internal int Flags;
}

// spice-input.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceKbdInterface
{
    internal SpiceBaseInterface Base;
    internal delegate* unmanaged<SpiceInstance*, byte, void> PushScanFrag;
    internal delegate* unmanaged<SpiceInstance*, byte> GetLeds;
}

// spice-input.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceTabletInterface
{
    internal SpiceBaseInterface Base;
    internal delegate* unmanaged<SpiceInstance*, int, int, void> SetLogicalSize;
    internal delegate* unmanaged<SpiceInstance*, int, int, uint, void> Position;
    internal delegate* unmanaged<SpiceInstance*, int, uint, void> Wheel;
    internal delegate* unmanaged<SpiceInstance*, uint, void> Buttons;
}

// SpiceKbdInstance and SpiceTabletInstance (spice-input.h), which are alike, and behind them whose they are.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceInstance
{
    internal void* Interface;
    internal nint State;
    internal nint Owner;
}

// spice-char.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceCharDeviceInterface
{
    internal SpiceBaseInterface Base;
    internal delegate* unmanaged<SpiceCharDeviceInstance*, int, void> State;
    internal delegate* unmanaged<SpiceCharDeviceInstance*, byte*, int, int> Write;
    internal delegate* unmanaged<SpiceCharDeviceInstance*, byte*, int, int> Read;
    internal delegate* unmanaged<SpiceCharDeviceInstance*, byte, void> Event;
    internal int Flags;
}

// spice-char.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpiceCharDeviceInstance
{
    internal void* Interface;
    internal nint Subtype;
    internal nint State;
    internal nint PortName;
}
