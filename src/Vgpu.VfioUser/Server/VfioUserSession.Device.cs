using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// What the device is: VFIO_USER_DEVICE_GET_INFO, _GET_REGION_INFO, _GET_IRQ_INFO; and
// VFIO_USER_DEVICE_RESET. A query may be longer than the structure that is known of it here, as the kernel's may.
internal sealed partial class VfioUserSession
{
    private Errno DeviceGetInfo(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out DeviceInfo query) || query.Argsz < DeviceInfo.Length)
        {
            return Errno.EINVAL;
        }

        var writer = new WireWriter(_replies.Begin(DeviceInfo.Length));
        writer.Write(new DeviceInfo
        {
            Argsz = DeviceInfo.Length,
            Flags = _device.Flags,
            RegionCount = (uint)_regions.Length,
            IrqCount = (uint)_irqs.Length,
        });
        _replies.Commit(header, DeviceInfo.Length);
        return Errno.None;
    }

    private Errno DeviceGetRegionInfo(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out RegionInfo query) || query.Argsz < RegionInfo.Length || query.Index >= (uint)_regions.Length)
        {
            return Errno.EINVAL;
        }

        VfioRegion region = _regions[query.Index];
        bool isMappable = (region.Flags & VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP) != 0 && region.File is not null;
        int areas = isMappable ? region.SparseAreas.Count : 0;
        int full = RegionInfo.Length + (areas == 0 ? 0 : RegionCapability.Length + SparseMmap.Length + (areas * SparseMmapArea.Length));
        bool isFull = query.Argsz >= (uint)full;
        var info = new RegionInfo
        {
            Argsz = (uint)full,
            Flags = isMappable ? region.Flags : region.Flags & ~VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP,
            Index = query.Index,
            Size = region.Size,
            Offset = isMappable ? region.FileOffset : 0,
        };
        if (areas > 0)
        {
            info.Flags |= VfioRegionFlags.VFIO_REGION_INFO_FLAG_CAPS;
            info.CapOffset = RegionInfo.Length;
        }

        int length = isFull ? full : RegionInfo.Length;
        var writer = new WireWriter(_replies.Begin(length));
        writer.Write(info);
        if (isFull && areas > 0)
        {
            WriteSparseMmap(ref writer, region.SparseAreas);
        }

        if (isFull && isMappable)
        {
            _replies.CommitWithDescriptors(header, length, region.File!);
        }
        else
        {
            _replies.Commit(header, length);
        }

        return Errno.None;
    }

    private static void WriteSparseMmap(ref WireWriter writer, IReadOnlyList<VfioSparseArea> areas)
    {
        writer.Write(new RegionCapability { Id = RegionCapability.VFIO_REGION_INFO_CAP_SPARSE_MMAP, Version = 1 });
        writer.Write(new SparseMmap { AreaCount = (uint)areas.Count });
        foreach (VfioSparseArea area in areas)
        {
            writer.Write(new SparseMmapArea { Offset = area.Offset, Size = area.Size });
        }
    }

    private Errno DeviceGetIrqInfo(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out IrqInfo query) || query.Argsz < IrqInfo.Length || query.Index >= (uint)_irqs.Length)
        {
            return Errno.EINVAL;
        }

        VfioIrqInfo irq = _irqs[query.Index];
        var writer = new WireWriter(_replies.Begin(IrqInfo.Length));
        writer.Write(new IrqInfo { Argsz = IrqInfo.Length, Flags = irq.Flags, Index = query.Index, Count = irq.Count });
        _replies.Commit(header, IrqInfo.Length);
        return Errno.None;
    }

    private Errno DeviceReset(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        if (!payload.IsEmpty)
        {
            return Errno.EINVAL;
        }

        if ((_device.Flags & VfioDeviceFlags.VFIO_DEVICE_FLAGS_RESET) == 0)
        {
            return Errno.ENOTSUP;
        }

        _device.Reset();
        _device.Migration.Reset();
        _ = _replies.Begin(0);
        _replies.Commit(header);
        return Errno.None;
    }
}
