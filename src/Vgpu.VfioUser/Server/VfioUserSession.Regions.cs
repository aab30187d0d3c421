using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_REGION_READ, _WRITE and _WRITE_MULTI: the data path, without an allocation.
internal sealed partial class VfioUserSession
{
    // Shorter reads are copied, so that their replies can travel together; with a journal all are, as memory changes.
    private const int LongRead = 16 << 10;

    private Errno RegionRead(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out RegionAccess access) || !reader.Rest.IsEmpty)
        {
            return Errno.EINVAL;
        }

        Errno errno = Check(access.Region, access.Offset, access.Count, VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ);
        if (errno != Errno.None)
        {
            return errno;
        }

        _counters.CountRead((int)access.Region);
        if (access.Count >= LongRead && !_replies.IsJournaled
            && _device.ReadableMemory((int)access.Region, access.Offset, (int)access.Count) is { IsEmpty: false } memory)
        {
            MemoryMarshal.Write(_replies.Begin(RegionAccess.Length), in access);
            _replies.CommitWithMemory(header, RegionAccess.Length, memory[..(int)access.Count]);
            return Errno.None;
        }

        int length = RegionAccess.Length + (int)access.Count;
        Span<byte> reply = _replies.Begin(length);
        errno = _device.ReadRegion((int)access.Region, access.Offset, reply[RegionAccess.Length..]);
        if (errno != Errno.None)
        {
            return errno;
        }

        MemoryMarshal.Write(reply, in access);
        _replies.Commit(header, length);
        return Errno.None;
    }

    private Errno RegionWrite(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out RegionAccess access) || reader.Rest.Length != access.Count)
        {
            return Errno.EINVAL;
        }

        Errno errno = Check(access.Region, access.Offset, access.Count, VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE);
        if (errno != Errno.None)
        {
            return errno;
        }

        _counters.CountWrite((int)access.Region);
        errno = _device.WriteRegion((int)access.Region, access.Offset, reader.Rest);
        if (errno != Errno.None)
        {
            return errno;
        }

        Span<byte> reply = _replies.Begin(RegionAccess.Length);
        MemoryMarshal.Write(reply, in access);
        _replies.Commit(header, RegionAccess.Length);
        return Errno.None;
    }

    // All entries are checked before the first is written; a device that refuses one ends the series, and the reply says
    // how many were written before it.
    private Errno RegionWriteMulti(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out ulong count) || count == 0 || count != (ulong)(reader.Rest.Length / RegionWriteEntry.Length)
            || reader.Rest.Length % RegionWriteEntry.Length != 0)
        {
            return Errno.EINVAL;
        }

        var entries = reader;
        while (entries.TryRead(out RegionWriteEntry entry))
        {
            Errno refused = entry.Count > RegionWriteEntry.DataLength
                ? Errno.EINVAL
                : Check(entry.Region, entry.Offset, entry.Count, VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE);
            if (refused != Errno.None)
            {
                return refused;
            }
        }

        ulong written = 0;
        while (reader.TryRead(out RegionWriteEntry entry))
        {
            _counters.CountWrite((int)entry.Region);
            ReadOnlySpan<byte> data = MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in entry.Data))[..(int)entry.Count];
            Errno errno = _device.WriteRegion((int)entry.Region, entry.Offset, data);
            if (errno != Errno.None && written == 0)
            {
                return errno;
            }

            if (errno != Errno.None)
            {
                break;
            }

            written++;
        }

        Span<byte> reply = _replies.Begin(sizeof(ulong));
        MemoryMarshal.Write(reply, in written);
        _replies.Commit(header, sizeof(ulong));
        return Errno.None;
    }

    // EINVAL: no such region, nothing to transfer, too much of it, or out of bounds. EPERM: not that way.
    private Errno Check(uint region, ulong offset, uint count, VfioRegionFlags access)
    {
        if (region >= (uint)_regions.Length || count is 0 or > VfioUserLimits.MaxDataXferSize)
        {
            return Errno.EINVAL;
        }

        VfioRegion target = _regions[region];
        if (offset > target.Size || count > target.Size - offset)
        {
            return Errno.EINVAL;
        }

        return (target.Flags & access) == 0 ? Errno.EPERM : Errno.None;
    }
}
