using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice.Interop;

// spice-qxl.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct QXLInterface
{
    internal SpiceBaseInterface Base;
    internal delegate* unmanaged<QXLInstance*, void> AttachedWorker;
    internal delegate* unmanaged<QXLInstance*, int, void> SetCompressionLevel;
    internal delegate* unmanaged<QXLInstance*, uint, void> SetMmTime;
    internal delegate* unmanaged<QXLInstance*, QXLDevInitInfo*, void> GetInitInfo;
    internal delegate* unmanaged<QXLInstance*, QXLCommandExt*, int> GetCommand;
    internal delegate* unmanaged<QXLInstance*, int> ReqCmdNotification;
    internal delegate* unmanaged<QXLInstance*, QXLReleaseInfoExt, void> ReleaseResource;
    internal delegate* unmanaged<QXLInstance*, QXLCommandExt*, int> GetCursorCommand;
    internal delegate* unmanaged<QXLInstance*, int> ReqCursorNotification;
    internal delegate* unmanaged<QXLInstance*, uint, void> NotifyUpdate;
    internal delegate* unmanaged<QXLInstance*, int> FlushResources;
    internal delegate* unmanaged<QXLInstance*, ulong, void> AsyncComplete;
    internal delegate* unmanaged<QXLInstance*, uint, void*, uint, void> UpdateAreaComplete;
    internal delegate* unmanaged<QXLInstance*, byte, byte*, void> SetClientCapabilities;
    internal delegate* unmanaged<QXLInstance*, VDAgentMonitorsConfig*, int> ClientMonitorsConfig;
}

// spice-qxl.h, and behind it whose it is.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct QXLInstance
{
    internal QXLInterface* Interface;
    internal int Id;
    internal nint State;
    internal nint Owner;
}

// spice-qxl.h.
[StructLayout(LayoutKind.Sequential)]
internal struct QXLDevInitInfo
{
    internal uint NumMemslotsGroups;
    internal uint NumMemslots;
    internal byte MemslotGenBits;
    internal byte MemslotIdBits;
    internal uint QxlRamSize;
    internal byte InternalGroupslotId;
    internal uint NSurfaces;
}

// spice-qxl.h.
[StructLayout(LayoutKind.Sequential)]
internal struct QXLDevMemSlot
{
    internal uint SlotGroupId;
    internal uint SlotId;
    internal uint Generation;
    internal nuint VirtStart;
    internal nuint VirtEnd;
    internal ulong AddrDelta;
    internal uint QxlRamSize;
}

// spice-qxl.h.
[StructLayout(LayoutKind.Sequential)]
internal struct QXLDevSurfaceCreate
{
    // SPICE_SURFACE_FMT_32_xRGB of spice/enums.h.
    internal const uint SPICE_SURFACE_FMT_32_xRGB = 32;

    internal uint Width;
    internal uint Height;
    internal int Stride;
    internal uint Format;
    internal uint Position;
    internal uint MouseMode;
    internal uint Flags;
    internal uint Type;
    internal ulong Mem;
    internal uint GroupId;
}

// qxl_dev.h: QXLCommand, and behind it group and flags.
[StructLayout(LayoutKind.Sequential)]
internal struct QXLCommandExt
{
    internal const uint QXL_CMD_DRAW = 1;
    internal const uint QXL_CMD_CURSOR = 3;

    internal ulong Data;
    internal uint Type;
    internal uint Padding;
    internal uint GroupId;
    internal uint Flags;
}

// qxl_dev.h.
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct QXLReleaseInfoExt
{
    internal ulong* Info;
    internal uint GroupId;
}

// qxl_dev.h.
[StructLayout(LayoutKind.Sequential)]
internal struct QXLRect
{
    internal int Top;
    internal int Left;
    internal int Bottom;
    internal int Right;
}

// vd_agent.h, with the first monitor's size behind it where there is one.
[StructLayout(LayoutKind.Sequential)]
internal struct VDAgentMonitorsConfig
{
    internal uint NumOfMonitors;
    internal uint Flags;
}

// vd_agent.h.
[StructLayout(LayoutKind.Sequential)]
internal struct VDAgentMonConfig
{
    internal uint Height;
    internal uint Width;
    internal uint Depth;
    internal int X;
    internal int Y;
}
