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
        int full = RegionInfo.Length + CapabilitiesLength(region, isMappable);
        bool isFull = query.Argsz >= (uint)full;
        var info = new RegionInfo
        {
            Argsz = (uint)full,
            Flags = isMappable ? region.Flags : region.Flags & ~VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP,
            Index = query.Index,
            Size = region.Size,
            Offset = isMappable ? region.FileOffset : 0,
        };
        if (full > RegionInfo.Length)
        {
            info.Flags |= VfioRegionFlags.VFIO_REGION_INFO_FLAG_CAPS;
            info.CapOffset = RegionInfo.Length;
        }

        int length = isFull ? full : RegionInfo.Length;
        bool hasFile = isFull && isMappable;
        var writer = new WireWriter(hasFile ? _replies.BeginAlone(length) : _replies.Begin(length));
        writer.Write(info);
        if (isFull)
        {
            WriteCapabilities(ref writer, region, isMappable, full);
        }

        if (hasFile)
        {
            _replies.CommitWithFile(header, length, (int)query.Index, region.File!);
        }
        else
        {
            _replies.Commit(header, length);
        }

        return Errno.None;
    }

    private static int CapabilitiesLength(VfioRegion region, bool isMappable) =>
        SparseMmapLength(region, isMappable)
        + (region.Type is null ? 0 : RegionCapability.Length + RegionType.Length)
        + (isMappable && region.IsMsixMappable ? RegionCapability.Length : 0);

    private static int SparseMmapLength(VfioRegion region, bool isMappable) => isMappable && region.SparseAreas.Count > 0
        ? RegionCapability.Length + SparseMmap.Length + (region.SparseAreas.Count * SparseMmapArea.Length)
        : 0;

    // Each names where the next one begins; the last ends where the reply does.
    private static void WriteCapabilities(ref WireWriter writer, VfioRegion region, bool isMappable, int end)
    {
        int sparse = SparseMmapLength(region, isMappable);
        if (sparse > 0)
        {
            WriteHeader(ref writer, RegionCapability.VFIO_REGION_INFO_CAP_SPARSE_MMAP, sparse, end);
            writer.Write(new SparseMmap { AreaCount = (uint)region.SparseAreas.Count });
            foreach (VfioSparseArea area in region.SparseAreas)
            {
                writer.Write(new SparseMmapArea { Offset = area.Offset, Size = area.Size });
            }
        }

        if (region.Type is { } type)
        {
            WriteHeader(ref writer, RegionCapability.VFIO_REGION_INFO_CAP_TYPE, RegionCapability.Length + RegionType.Length, end);
            writer.Write(new RegionType { Type = type.Type, Subtype = type.Subtype });
        }

        if (isMappable && region.IsMsixMappable)
        {
            WriteHeader(ref writer, RegionCapability.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, RegionCapability.Length, end);
        }
    }

    private static void WriteHeader(ref WireWriter writer, ushort id, int length, int end)
    {
        int next = writer.Written.Length + length;
        writer.Write(new RegionCapability { Id = id, Version = 1, Next = next < end ? (uint)next : 0 });
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
