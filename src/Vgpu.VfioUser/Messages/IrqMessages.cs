using System.Runtime.InteropServices;
using Vgpu.Vfio;

// Payloads of VFIO_USER_DEVICE_GET_IRQ_INFO and VFIO_USER_DEVICE_SET_IRQS.
namespace Vgpu.VfioUser.Messages;

/// <summary>Request and reply of VFIO_USER_DEVICE_GET_IRQ_INFO (struct vfio_irq_info).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct IrqInfo
{
    public const int Length = 16;

    public uint Argsz;
    public VfioIrqFlags Flags;
    public uint Index;
    public uint Count;
}

/// <summary>What begins the request of VFIO_USER_DEVICE_SET_IRQS (struct vfio_irq_set); bools follow with DATA_BOOL.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct IrqSet
{
    public const int Length = 20;

    public uint Argsz;
    public VfioIrqSetFlags Flags;
    public uint Index;
    public uint Start;
    public uint Count;
}
