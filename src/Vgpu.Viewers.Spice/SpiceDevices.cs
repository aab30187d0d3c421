using System.Runtime.InteropServices;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// Keyboard and tablet (spice-input.h), and an agent that is none: the client tells only an agent its window's size, which
// the library keeps for the display; everything else that it says to an agent is thrown away. The loop's thread.
internal sealed unsafe class SpiceDevices : IDisposable
{
    private readonly SpiceInstance* _keyboard = Create<SpiceInstance>();
    private readonly SpiceInstance* _tablet = Create<SpiceInstance>();
    private readonly SpiceCharDeviceInstance* _agent = Create<SpiceCharDeviceInstance>();
    private readonly GCHandle _input;

    internal SpiceDevices(SpiceInput input)
    {
        _input = GCHandle.Alloc(input);
        var keyboard = Create<SpiceKbdInterface>();
        *keyboard = new SpiceKbdInterface { Base = SpiceBaseInterface.Of("keyboard", 1, 1), PushScanFrag = &PushScanFrag, GetLeds = &GetLeds };
        _keyboard->Interface = keyboard;
        var tablet = Create<SpiceTabletInterface>();
        *tablet = new SpiceTabletInterface
        {
            Base = SpiceBaseInterface.Of("tablet", 1, 1),
            SetLogicalSize = &SetLogicalSize,
            Position = &Position,
            Wheel = &Wheel,
            Buttons = &Buttons,
        };
        _tablet->Interface = tablet;
        _keyboard->Owner = _tablet->Owner = GCHandle.ToIntPtr(_input);
        var agent = Create<SpiceCharDeviceInterface>();
        *agent = new SpiceCharDeviceInterface
        {
            Base = SpiceBaseInterface.Of("char_device", 1, 3),
            State = &State,
            Write = &Write,
            Read = &Read,
            Event = &Event,
        };
        _agent->Interface = agent;
        _agent->Subtype = Marshal.StringToCoTaskMemUTF8("vdagent");
    }

    /// <summary>Adds them to the server.</summary>
    internal void Attach(nint server)
    {
        foreach (nint instance in (ReadOnlySpan<nint>)[(nint)_keyboard, (nint)_tablet, (nint)_agent])
        {
            if (LibSpice.AddInterface(server, (void*)instance) != 0)
            {
                throw new SpiceException("libspice-server takes no keyboard, tablet or agent; is it older than 0.14?");
            }
        }
    }

    /// <summary>The library is gone: nothing of it is used any more.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_keyboard->Interface);
        NativeMemory.Free(_tablet->Interface);
        NativeMemory.Free(_agent->Interface);
        NativeMemory.Free(_keyboard);
        NativeMemory.Free(_tablet);
        NativeMemory.Free(_agent);
        _input.Free();
    }

    private static T* Create<T>()
        where T : unmanaged => (T*)NativeMemory.AllocZeroed((nuint)sizeof(T));

    // Sound: the handle is freed only once the library is gone.
    private static SpiceInput Of(SpiceInstance* instance) => (SpiceInput)GCHandle.FromIntPtr(instance->Owner).Target!;

    [UnmanagedCallersOnly]
    private static void PushScanFrag(SpiceInstance* instance, byte fragment) => Of(instance).Scan(fragment);

    [UnmanagedCallersOnly]
    private static byte GetLeds(SpiceInstance* instance) => 0;

    [UnmanagedCallersOnly]
    private static void SetLogicalSize(SpiceInstance* instance, int width, int height) => Of(instance).SetSize(width, height);

    [UnmanagedCallersOnly]
    private static void Position(SpiceInstance* instance, int x, int y, uint buttons) => Of(instance).Move(x, y, buttons);

    [UnmanagedCallersOnly]
    private static void Wheel(SpiceInstance* instance, int wheel, uint buttons) => Of(instance).Turn(wheel, buttons);

    [UnmanagedCallersOnly]
    private static void Buttons(SpiceInstance* instance, uint buttons) => Of(instance).Press(buttons);

    [UnmanagedCallersOnly]
    private static void State(SpiceCharDeviceInstance* instance, int isConnected)
    {
    }

    [UnmanagedCallersOnly]
    private static int Write(SpiceCharDeviceInstance* instance, byte* bytes, int count) => count;

    [UnmanagedCallersOnly]
    private static int Read(SpiceCharDeviceInstance* instance, byte* bytes, int count) => 0;

    [UnmanagedCallersOnly]
    private static void Event(SpiceCharDeviceInstance* instance, byte what)
    {
    }
}
