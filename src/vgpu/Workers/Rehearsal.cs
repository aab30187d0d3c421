using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser;

namespace Vgpu.Cli.Workers;

/// <summary>
/// A worker that waits for work goes through it once, with a client of its own: what is run for the first time costs
/// milliseconds here, which a VM whose worker has died would wait for.
/// </summary>
internal static class Rehearsal
{
    private const ulong GuestMemory = 1UL << 20;

    /// <summary>Stops early when <paramref name="isWanted"/> says that somebody waits.</summary>
    internal static void Run(Func<bool> isWanted)
    {
        foreach (string type in (string[])["virtio-gpu", "bochs-display"])
        {
            if (isWanted())
            {
                return;
            }

            (IVgpuVendor vendor, VgpuType found) = DeviceTypes.Find(type);
            using var vgpu = new VgpuComposition(vendor, found, new VgpuOptions { Name = "rehearsal" }, NullLogger.Instance);
            (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
            using var connection = new VfioUserConnection(ours, vgpu.Instance.Device, "rehearsal", NullLogger.Instance);
            connection.Start();
            using var client = new VfioUserClient(theirs);
            Play(client, vgpu.Instance.Device);
        }
    }

    // What a VMM does until its guest runs.
    private static void Play(VfioUserClient client, VfioDevice device)
    {
        client.Negotiate();
        client.GetDeviceInfo();
        for (int region = 0; region < device.Regions.Count; region++)
        {
            client.GetRegionInfo(region).File?.Dispose();
        }

        for (int irq = 0; irq < device.Irqs.Count; irq++)
        {
            client.GetIrqInfo(irq);
        }

        using FileDescriptor memory = MemFd.Create("rehearsal", GuestMemory);
        client.DmaMap(0, GuestMemory, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, memory);
        if (device.Irqs[VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX].Count > 0)
        {
            using var eventfd = EventFd.Create();
            client.SetIrqs(
                VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER, default, eventfd.Descriptor);
            client.SetIrqs(VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK);
        }

        for (ulong offset = 0; offset < 64; offset += sizeof(uint))
        {
            client.RegionRead<uint>(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, offset);
        }

        client.RegionWrite<ushort>(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 4, 6);
        client.Reset();
        client.DmaUnmap(0, GuestMemory);
    }
}
