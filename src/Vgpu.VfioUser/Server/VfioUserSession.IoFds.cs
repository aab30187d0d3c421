using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_DEVICE_GET_REGION_IO_FDS: files through which accesses reach the device past the client.
internal sealed partial class VfioUserSession
{
    private readonly List<FileDescriptor> _ioFiles = new(VfioUserLimits.MaxMsgFds);

    // The array comes whole or not at all, as argsz says; sub-regions whose file would be one more than the client
    // takes in a message are left out.
    private Errno DeviceGetRegionIoFds(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out RegionIoFds query)
            || query.Argsz < RegionIoFds.Length
            || query.Flags != 0
            || query.Count != 0
            || query.Index >= (uint)_regions.Length)
        {
            return Errno.EINVAL;
        }

        // A journal can give a reply one file again, a region's: there are none with it.
        IReadOnlyList<VfioIoFd> all = _replies.IsJournaled ? [] : _regions[query.Index].IoFds;
        int most = (int)Math.Min(ClientMaxMsgFds, VfioUserLimits.MaxMsgFds);
        int count = 0;
        _ioFiles.Clear();
        foreach (VfioIoFd each in all)
        {
            count += FileIndex(each.File, most) >= 0 ? 1 : 0;
        }

        int full = RegionIoFds.Length + (count * SubRegionIoFd.Length);
        var fixedPart = new RegionIoFds { Argsz = (uint)full, Index = query.Index, Count = (uint)count };
        if (query.Argsz < full || count == 0)
        {
            var head = new WireWriter(_replies.Begin(RegionIoFds.Length));
            head.Write(fixedPart);
            _replies.Commit(header, RegionIoFds.Length);
            return Errno.None;
        }

        var writer = new WireWriter(_replies.Begin(full));
        writer.Write(fixedPart);
        foreach (VfioIoFd each in all)
        {
            int file = FileIndex(each.File, most);
            if (file >= 0)
            {
                writer.Write(new SubRegionIoFd
                {
                    Offset = each.Offset,
                    Size = each.Size,
                    FdIndex = (uint)file,
                    Type = each.Type,
                    Flags = each.Flags,
                    Data = each.Data,
                });
            }
        }

        _replies.CommitWithDescriptors(header, full, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ioFiles));
        return Errno.None;
    }

    // Where a file is among those that are sent; -1: there is no room for it.
    private int FileIndex(FileDescriptor file, int most)
    {
        int index = _ioFiles.IndexOf(file);
        if (index < 0 && _ioFiles.Count < most)
        {
            index = _ioFiles.Count;
            _ioFiles.Add(file);
        }

        return index;
    }
}
