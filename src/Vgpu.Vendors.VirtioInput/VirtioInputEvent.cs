using System.Runtime.InteropServices;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>struct virtio_input_event (virtio 1.2, 5.8.6), as it is in the guest's memory: little-endian, as every host here is.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal record struct VirtioInputEvent(ushort Type, ushort Code, int Value)
{
    internal const int Length = 8;
}
