using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// QXLInterface (spice-qxl.h): what the library asks of its device. Nothing here blocks or throws.
internal sealed unsafe partial class QxlDisplay
{
    private static QXLInterface* CreateInterface()
    {
        var table = (QXLInterface*)NativeMemory.AllocZeroed((nuint)sizeof(QXLInterface));
        *table = new QXLInterface
        {
            Base = SpiceBaseInterface.Of("qxl", 3, 3),
            AttachedWorker = &AttachedWorker,
            SetCompressionLevel = &SetCompressionLevel,
            SetMmTime = &SetMmTime,
            GetInitInfo = &GetInitInfo,
            GetCommand = &GetCommand,
            ReqCmdNotification = &ReqCmdNotification,
            ReleaseResource = &ReleaseResource,
            GetCursorCommand = &GetCursorCommand,
            ReqCursorNotification = &ReqCursorNotification,
            NotifyUpdate = &NotifyUpdate,
            FlushResources = &FlushResources,
            AsyncComplete = &AsyncComplete,
            UpdateAreaComplete = &UpdateAreaComplete,
            SetClientCapabilities = &SetClientCapabilities,
            ClientMonitorsConfig = &ClientMonitorsConfig,
        };
        return table;
    }

    // Sound: the handle is freed only once the library is gone.
    private static QxlDisplay Of(QXLInstance* instance) => (QxlDisplay)GCHandle.FromIntPtr(instance->Owner).Target!;

    [UnmanagedCallersOnly]
    private static void AttachedWorker(QXLInstance* instance)
    {
    }

    [UnmanagedCallersOnly]
    private static void SetCompressionLevel(QXLInstance* instance, int level)
    {
    }

    [UnmanagedCallersOnly]
    private static void SetMmTime(QXLInstance* instance, uint time)
    {
    }

    [UnmanagedCallersOnly]
    private static void GetInitInfo(QXLInstance* instance, QXLDevInitInfo* info) => *info = new QXLDevInitInfo
    {
        NumMemslotsGroups = 1,
        NumMemslots = 1,
        MemslotGenBits = 8,
        MemslotIdBits = 8,
        NSurfaces = 1,
    };

    [UnmanagedCallersOnly]
    private static int GetCommand(QXLInstance* instance, QXLCommandExt* command)
    {
        QxlDisplay display = Of(instance);
        bool isTaken = display._drawables.TryTake(command, out bool isHungry);
        if (isHungry)
        {
            display._loop.Wake();
        }

        return isTaken ? 1 : 0;
    }

    [UnmanagedCallersOnly]
    private static int ReqCmdNotification(QXLInstance* instance) => Of(instance)._drawables.IsAnyReady ? 0 : 1;

    [UnmanagedCallersOnly]
    private static void ReleaseResource(QXLInstance* instance, QXLReleaseInfoExt release)
    {
        QxlDisplay display = Of(instance);

        // Drawables and cursors have numbers of their own; the number's upper half says which.
        ulong number = *release.Info;
        if ((number & QxlCursors.Mark) != 0)
        {
            display._cursors.Release(number & ~QxlCursors.Mark);
            if (display._cursors.IsChanged)
            {
                display._loop.Wake();
            }
        }
        else if (display._drawables.Release(number))
        {
            display._loop.Wake();
        }
    }

    [UnmanagedCallersOnly]
    private static int GetCursorCommand(QXLInstance* instance, QXLCommandExt* command) => Of(instance)._cursors.TryTake(command) ? 1 : 0;

    [UnmanagedCallersOnly]
    private static int ReqCursorNotification(QXLInstance* instance) => 1;

    [UnmanagedCallersOnly]
    private static void NotifyUpdate(QXLInstance* instance, uint id)
    {
    }

    [UnmanagedCallersOnly]
    private static int FlushResources(QXLInstance* instance) => 0;

    [UnmanagedCallersOnly]
    private static void AsyncComplete(QXLInstance* instance, ulong cookie)
    {
    }

    [UnmanagedCallersOnly]
    private static void UpdateAreaComplete(QXLInstance* instance, uint surface, void* rects, uint count)
    {
    }

    [UnmanagedCallersOnly]
    private static void SetClientCapabilities(QXLInstance* instance, byte isClientThere, byte* capabilities)
    {
    }

    // A client's window has another size. Asked with null it only wants to know that we listen.
    [UnmanagedCallersOnly]
    private static int ClientMonitorsConfig(QXLInstance* instance, VDAgentMonitorsConfig* config)
    {
        QxlDisplay display = Of(instance);
        if (!display._takesModes || config is null || config->NumOfMonitors == 0)
        {
            return display._takesModes ? 1 : 0;
        }

        // Sound: the library has checked that as many monitors follow as it says.
        VDAgentMonConfig monitor = *(VDAgentMonConfig*)(config + 1);
        var mode = new DisplayMode((int)Math.Min(monitor.Width, int.MaxValue), (int)Math.Min(monitor.Height, int.MaxValue));
        if (mode.IsValid)
        {
            display._head.RequestMode(mode);
        }

        return 1;
    }
}
