using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>What a server answered to VFIO_USER_VERSION.</summary>
public sealed record VfioUserVersion(int Major, int Minor, VfioUserCapabilities Capabilities);

/// <summary>What a server answered to VFIO_USER_DEVICE_GET_REGION_INFO.</summary>
/// <param name="Flags">As sent, FLAG_CAPS included.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Offset">What to give mmap with <paramref name="File"/>.</param>
/// <param name="SparseAreas">What may be mapped, where not all of it.</param>
/// <param name="File">The memory of a mappable region; the caller's.</param>
public sealed record VfioUserRegion(
    VfioRegionFlags Flags,
    ulong Size,
    ulong Offset,
    IReadOnlyList<VfioSparseArea> SparseAreas,
    FileDescriptor? File)
{
    /// <summary>What a region past the standard ones is.</summary>
    public VfioRegionType? Type { get; init; }

    /// <summary>Whether it may be mapped with the MSI-X table in it.</summary>
    public bool IsMsixMappable { get; init; }
}

// The commands, one method each.
public sealed partial class VfioUserClient
{
    /// <summary>What this client offers unless told otherwise: all that it can do.</summary>
    public static VfioUserCapabilities DefaultCapabilities { get; } = new()
    {
        MaxMsgFds = VfioUserLimits.MaxMsgFds,
        MaxDataXferSize = VfioUserLimits.MaxDataXferSize,
        MaxDmaMaps = VfioUserLimits.MaxDmaMaps,
        PageSizes = VfioUserLimits.PageSizes,
        WriteMultiple = true,
    };

    /// <summary>VFIO_USER_VERSION: the first thing to do.</summary>
    public VfioUserVersion Negotiate(VfioUserCapabilities? offer = null, int minor = VfioUserLimits.Minor)
    {
        byte[] json = (offer ?? DefaultCapabilities).Format();
        byte[] payload = new byte[VersionMessage.Length + json.Length];
        var writer = new WireWriter(payload);
        writer.Write(new VersionMessage { Major = VfioUserLimits.Major, Minor = (ushort)minor });
        writer.Write(json);
        var reader = new WireReader(Request(VfioUserCommand.VFIO_USER_VERSION, payload));
        if (!reader.TryRead(out VersionMessage version) || !VfioUserCapabilities.TryParse(reader.Rest, out VfioUserCapabilities capabilities))
        {
            throw Malformed(VfioUserCommand.VFIO_USER_VERSION);
        }

        if (capabilities.TwinSocket is true)
        {
            // The one descriptor that this client takes with a reply; where there is none the server can't be served.
            FileDescriptor twin = TakeDescriptor() ?? throw Malformed(VfioUserCommand.VFIO_USER_VERSION);
            _twin = new DmaResponder(new UnixSocket(twin), () => Memory);
            _twin.Start();
        }

        return new VfioUserVersion(version.Major, version.Minor, capabilities);
    }

    /// <summary>VFIO_USER_DEVICE_GET_INFO.</summary>
    public DeviceInfo GetDeviceInfo() =>
        Exchange<DeviceInfo, DeviceInfo>(VfioUserCommand.VFIO_USER_DEVICE_GET_INFO, new DeviceInfo { Argsz = DeviceInfo.Length }, out _);

    /// <summary>VFIO_USER_DEVICE_GET_REGION_INFO: asks again where the first reply had no room for everything.</summary>
    public VfioUserRegion GetRegionInfo(int index)
    {
        var query = new RegionInfo { Argsz = RegionInfo.Length, Index = (uint)index };
        RegionInfo info = Exchange<RegionInfo, RegionInfo>(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO, query, out ReadOnlySpan<byte> rest);
        if (info.Argsz > RegionInfo.Length)
        {
            query.Argsz = info.Argsz;
            info = Exchange<RegionInfo, RegionInfo>(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO, query, out rest);
        }

        return WithCapabilities(new VfioUserRegion(info.Flags, info.Size, info.Offset, [], TakeDescriptor()), info, rest);
    }

    /// <summary>VFIO_USER_DEVICE_GET_IRQ_INFO.</summary>
    public VfioIrqInfo GetIrqInfo(int index)
    {
        var query = new IrqInfo { Argsz = IrqInfo.Length, Index = (uint)index };
        IrqInfo info = Exchange<IrqInfo, IrqInfo>(VfioUserCommand.VFIO_USER_DEVICE_GET_IRQ_INFO, query, out _);
        return new VfioIrqInfo(info.Flags, info.Count);
    }

    /// <summary>VFIO_USER_DEVICE_SET_IRQS. The eventfds stay the caller's: the server gets descriptors of its own.</summary>
    public void SetIrqs(int index, int start, int count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools = default, params ReadOnlySpan<FileDescriptor> eventfds)
    {
        byte[] payload = new byte[IrqSet.Length + bools.Length];
        var writer = new WireWriter(payload);
        writer.Write(new IrqSet { Argsz = (uint)payload.Length, Flags = flags, Index = (uint)index, Start = (uint)start, Count = (uint)count });
        writer.Write(bools);
        _ = Request(VfioUserCommand.VFIO_USER_DEVICE_SET_IRQS, payload, eventfds);
    }

    /// <summary>VFIO_USER_DMA_MAP; without a file the server knows of the range and can't reach it.</summary>
    public void DmaMap(ulong iova, ulong size, IommuProtection protection, FileDescriptor? file = null, ulong offset = 0)
    {
        var map = new DmaMap { Argsz = Messages.DmaMap.Length, Flags = (DmaMapFlags)protection, Offset = offset, Address = iova, Size = size };
        _ = Request(VfioUserCommand.VFIO_USER_DMA_MAP, BytesOf(ref map), file is null ? [] : [file]);
    }

    /// <summary>VFIO_USER_DMA_UNMAP: when it returns the device touches the range no more.</summary>
    public void DmaUnmap(ulong iova, ulong size, DmaUnmapFlags flags = 0)
    {
        var unmap = new DmaUnmap { Argsz = Messages.DmaUnmap.Length, Flags = flags, Address = iova, Size = size };
        _ = Exchange<DmaUnmap, DmaUnmap>(VfioUserCommand.VFIO_USER_DMA_UNMAP, unmap, out _);
    }

    /// <summary>VFIO_USER_REGION_READ: at most max_data_xfer_size bytes. Allocates nothing.</summary>
    public void RegionRead(int region, ulong offset, Span<byte> data)
    {
        var access = new RegionAccess { Offset = offset, Region = (uint)region, Count = (uint)data.Length };
        RegionAccess echo = Exchange<RegionAccess, RegionAccess>(VfioUserCommand.VFIO_USER_REGION_READ, access, out ReadOnlySpan<byte> rest);
        if (echo.Count != access.Count || rest.Length != data.Length)
        {
            throw Malformed(VfioUserCommand.VFIO_USER_REGION_READ);
        }

        rest.CopyTo(data);
    }

    /// <summary>Reads one little-endian number of a register's width.</summary>
    public T RegionRead<T>(int region, ulong offset)
        where T : unmanaged
    {
        T value = default;
        RegionRead(region, offset, MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    /// <summary>VFIO_USER_REGION_WRITE: at most max_data_xfer_size bytes. Returns once it is done.</summary>
    public void RegionWrite(int region, ulong offset, ReadOnlySpan<byte> data)
    {
        _ = Request(VfioUserCommand.VFIO_USER_REGION_WRITE, WritePayload(region, offset, data));
    }

    /// <summary>Writes one little-endian number of a register's width.</summary>
    public void RegionWrite<T>(int region, ulong offset, T value)
        where T : unmanaged => RegionWrite(region, offset, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>VFIO_USER_REGION_WRITE that wants no reply: done before the reply to whatever is asked next.</summary>
    public void RegionWritePosted(int region, ulong offset, ReadOnlySpan<byte> data) =>
        Send(++_messageId, VfioUserCommand.VFIO_USER_REGION_WRITE, WritePayload(region, offset, data), VfioUserFlags.VFIO_USER_NO_REPLY);

    /// <summary>VFIO_USER_REGION_WRITE_MULTI: how many were written.</summary>
    public int RegionWriteMulti(params ReadOnlySpan<RegionWriteEntry> entries)
    {
        byte[] payload = new byte[sizeof(ulong) + (entries.Length * RegionWriteEntry.Length)];
        var writer = new WireWriter(payload);
        writer.Write((ulong)entries.Length);
        writer.Write(MemoryMarshal.AsBytes(entries));
        var reader = new WireReader(Request(VfioUserCommand.VFIO_USER_REGION_WRITE_MULTI, payload));
        return reader.TryRead(out ulong written) && written <= (ulong)entries.Length
            ? (int)written
            : throw Malformed(VfioUserCommand.VFIO_USER_REGION_WRITE_MULTI);
    }

    /// <summary>
    /// VFIO_USER_DEVICE_GET_REGION_IO_FDS: asks again with room for all. The files are the caller's;
    /// <see cref="VfioIoFd.File"/> may be the same in several entries.
    /// </summary>
    public IReadOnlyList<VfioIoFd> GetRegionIoFds(int index)
    {
        const VfioUserCommand command = VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_IO_FDS;
        var query = new RegionIoFds { Argsz = RegionIoFds.Length, Index = (uint)index };
        RegionIoFds info = Exchange<RegionIoFds, RegionIoFds>(command, query, out _);
        if (info.Count == 0)
        {
            return [];
        }

        query.Argsz = info.Argsz;
        info = Exchange<RegionIoFds, RegionIoFds>(command, query, out ReadOnlySpan<byte> rest);
        var files = new List<FileDescriptor>();
        while (TakeDescriptor() is { } file)
        {
            files.Add(file);
        }

        var found = new List<VfioIoFd>();
        var reader = new WireReader(rest);
        for (uint i = 0; i < info.Count && reader.TryRead(out SubRegionIoFd each) && each.FdIndex < files.Count; i++)
        {
            found.Add(new VfioIoFd(each.Type, each.Offset, each.Size, files[(int)each.FdIndex], each.Flags, each.Data));
        }

        return found.Count == info.Count ? found : throw Malformed(command);
    }

    /// <summary>VFIO_USER_DEVICE_RESET.</summary>
    public void Reset() => _ = Request(VfioUserCommand.VFIO_USER_DEVICE_RESET, []);

    private static byte[] WritePayload(int region, ulong offset, ReadOnlySpan<byte> data)
    {
        byte[] payload = new byte[RegionAccess.Length + data.Length];
        var writer = new WireWriter(payload);
        writer.Write(new RegionAccess { Offset = offset, Region = (uint)region, Count = (uint)data.Length });
        writer.Write(data);
        return payload;
    }

    private static VfioUserRegion WithCapabilities(VfioUserRegion region, in RegionInfo info, ReadOnlySpan<byte> capabilities)
    {
        uint at = (info.Flags & VfioRegionFlags.VFIO_REGION_INFO_FLAG_CAPS) != 0 ? info.CapOffset : 0;
        while (at >= RegionInfo.Length && at - RegionInfo.Length < (uint)capabilities.Length)
        {
            var reader = new WireReader(capabilities[(int)(at - RegionInfo.Length)..]);
            if (!reader.TryRead(out RegionCapability capability))
            {
                throw Malformed(VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO);
            }

            switch (capability.Id)
            {
                case RegionCapability.VFIO_REGION_INFO_CAP_SPARSE_MMAP when reader.TryRead(out SparseMmap sparse):
                    region = region with { SparseAreas = ReadAreas(reader, sparse.AreaCount) };
                    break;
                case RegionCapability.VFIO_REGION_INFO_CAP_TYPE when reader.TryRead(out RegionType type):
                    region = region with { Type = new VfioRegionType(type.Type, type.Subtype) };
                    break;
                case RegionCapability.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE:
                    region = region with { IsMsixMappable = true };
                    break;
            }

            // Forward only, so that a loop in the list ends.
            at = capability.Next > at ? capability.Next : 0;
        }

        return region;
    }

    private static List<VfioSparseArea> ReadAreas(WireReader reader, uint count)
    {
        var areas = new List<VfioSparseArea>();
        for (uint i = 0; i < count && reader.TryRead(out SparseMmapArea area); i++)
        {
            areas.Add(new VfioSparseArea(area.Offset, area.Size));
        }

        return areas;
    }

    private TReply Exchange<TRequest, TReply>(VfioUserCommand command, TRequest request, out ReadOnlySpan<byte> rest)
        where TRequest : unmanaged
        where TReply : unmanaged
    {
        var reader = new WireReader(Request(command, BytesOf(ref request)));
        if (!reader.TryRead(out TReply reply))
        {
            throw Malformed(command);
        }

        rest = reader.Rest;
        return reply;
    }

    private static ReadOnlySpan<byte> BytesOf<T>(ref T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));

    private static VfioUserException Malformed(VfioUserCommand command) => new(command, Errno.EPROTO, "malformed reply");
}
