using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_DMA_MAP and VFIO_USER_DMA_UNMAP: what of the client's memory the device may touch. Addresses, sizes and
// files are checked by the domain itself.
internal sealed partial class VfioUserSession
{
    private const DmaMapFlags Protection = DmaMapFlags.VFIO_USER_F_DMA_REGION_READ | DmaMapFlags.VFIO_USER_F_DMA_REGION_WRITE;

    // How the file is reached, which is the same here: a shared mapping of a file in memory is its bytes, as read and
    // write see them.
    private const DmaMapFlags ByFile = DmaMapFlags.VFIO_USER_F_DMA_REGION_MMAP | DmaMapFlags.VFIO_USER_F_DMA_REGION_FILE_IO;

    private Errno DmaMap(in VfioUserHeader header, ReadOnlySpan<byte> payload, ReceivedDescriptors? descriptors)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out DmaMap map)
            || !reader.Rest.IsEmpty
            || map.Argsz < Messages.DmaMap.Length
            || (map.Flags & ~(Protection | ByFile)) != 0
            || (map.Flags & ByFile) == ByFile
            || ((map.Flags & ByFile) != 0 && descriptors is not { Count: 1 }))
        {
            return Errno.EINVAL;
        }

        // The domain closes it, whatever it answers.
        FileDescriptor? file = descriptors is { Count: 1 } ? descriptors.Take(0) : null;
        _sharedMemory.Mapping(map.Size, file);
        var kept = new KeptMap(map.Address, map.Size, map.Offset, (IommuProtection)(map.Flags & Protection));
        Errno errno = _keeper is null && !IsRepeatPossible ? Map(kept, file) : MapKept(kept, file);
        if (errno != Errno.None)
        {
            return errno;
        }

        _ = _replies.Begin(0);
        _replies.Commit(header);
        return Errno.None;
    }

    private Errno DmaUnmap(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out DmaUnmap unmap) || unmap.Argsz < Messages.DmaUnmap.Length)
        {
            return Errno.EINVAL;
        }

        if (unmap.Flags == DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
        {
            return DmaUnmapWithBitmap(header, unmap, reader);
        }

        if (!reader.Rest.IsEmpty)
        {
            return Errno.EINVAL;
        }

        switch (unmap.Flags)
        {
            case DmaUnmapFlags.None:
                Errno errno = Unmap(unmap);
                if (errno != Errno.None)
                {
                    return errno;
                }

                break;
            case DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_ALL when unmap is { Address: 0, Size: 0 }:
                _device.Iommu.UnmapAll();
                _keeper?.DmaUnmappedAll();
                break;
            default:
                return Errno.EINVAL;
        }

        var writer = new WireWriter(_replies.Begin(Messages.DmaUnmap.Length));
        writer.Write(unmap);
        _replies.Commit(header, Messages.DmaUnmap.Length);
        return Errno.None;
    }

    // The older dialect's (libvfio-user): the pages that were written to come with the reply. Everything is checked before
    // the map goes, for afterwards nobody could ask again.
    private Errno DmaUnmapWithBitmap(in VfioUserHeader header, in DmaUnmap unmap, WireReader reader)
    {
        if (!reader.TryRead(out DirtyBitmap bitmap) || !reader.Rest.IsEmpty || !_device.Iommu.IsDirtyTracked)
        {
            return Errno.EINVAL;
        }

        Errno errno = BitmapLength(unmap.Size, bitmap.PageSize, out int words);
        if (errno != Errno.None)
        {
            return errno;
        }

        int fixedPart = Messages.DmaUnmap.Length + DirtyBitmap.Length;
        if (bitmap.Size < (ulong)words || bitmap.Size > VfioUserLimits.MaxDataXferSize || unmap.Argsz < (ulong)fixedPart + bitmap.Size)
        {
            return Errno.EINVAL;
        }

        errno = Unmap(unmap);
        if (errno != Errno.None)
        {
            return errno;
        }

        int length = fixedPart + (int)bitmap.Size;
        Span<byte> reply = _replies.Begin(length);
        errno = ReadDirty(unmap.Address, unmap.Size, bitmap.PageSize, reply[fixedPart..]);
        if (errno != Errno.None)
        {
            return errno;
        }

        var writer = new WireWriter(reply);
        writer.Write(unmap);
        writer.Write(bitmap);
        _replies.Commit(header, length);
        return Errno.None;
    }
}
