using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

// How a device reaches memory through its domain: vfio_dma_rw of drivers/vfio/vfio_main.c, and translation to host
// addresses. Nothing here allocates, beyond the growth of a caller's list.
public sealed partial class Type2
{
    /// <summary>
    /// Translates [<paramref name="iova"/>, iova + <paramref name="length"/>) and appends the runs, coalesced: pieces
    /// adjacent both for the guest and here become one, also with the last run in the list. Device lock held.
    /// </summary>
    /// <returns>
    /// EFAULT: a byte is not mapped, mapped without a file, or the range wraps; EPERM: a piece may not be touched so, or
    /// bus mastering is off; E2BIG: the list would hold more than <paramref name="maxRuns"/>. The list is then as before.
    /// A length of 0 appends nothing.
    /// </returns>
    /// <remarks>With IOMMU_WRITE the range counts as dirty at once; see <see cref="MarkDirty"/>.</remarks>
    public Errno Resolve(ulong iova, ulong length, IommuProtection protection, List<HostRun> runs, int maxRuns = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return ResolveRuns(iova, length, protection, runs, joinByAddress: false, maxRuns);
    }

    /// <summary>
    /// Translates a range that is one piece here. Device lock held. EFAULT and EPERM as for <see cref="Resolve"/>;
    /// ERANGE: all mapped, in more pieces than one; EINVAL: a length of 0.
    /// </summary>
    /// <remarks>With IOMMU_WRITE the range counts as dirty at once; see <see cref="MarkDirty"/>.</remarks>
    public Errno TryGetRun(ulong iova, ulong length, IommuProtection protection, out HostRun run)
    {
        // Most accesses go where the last one went.
        DmaMap? map = _lastHit;
        if (map is not null && _busMaster && !map.IsGone)
        {
            ulong skip = iova - map.Iova;
            if (skip < map.Size && length - 1 < map.Size - skip && Allowed(map, protection) == Errno.None)
            {
                run = new HostRun(iova, map.Address + (nint)skip, length);
                if ((protection & IommuProtection.IOMMU_WRITE) != 0)
                {
                    _dirty?.Mark(iova, length);
                }

                return Errno.None;
            }
        }

        return FindRun(iova, length, protection, out run);
    }

    /// <summary>
    /// Copies between guest memory and <paramref name="data"/>, across maps, all or nothing: checked first. Device lock
    /// held. EFAULT and EPERM as for <see cref="Resolve"/>. What was written is dirty when this returns.
    /// </summary>
    public unsafe Errno DmaRw(ulong iova, Span<byte> data, bool write)
    {
        if (data.IsEmpty)
        {
            return _busMaster ? Errno.None : Errno.EPERM;
        }

        IommuProtection protection = write ? IommuProtection.IOMMU_WRITE : IommuProtection.IOMMU_READ;
        Errno error = Check(iova, protection, out DmaMap? map);
        if (error != Errno.None)
        {
            return error;
        }

        if ((ulong)data.Length <= map!.BytesFrom(iova))
        {
            Copy((byte*)map.AddressOf(iova), data, write);
        }
        else
        {
            error = CopyAcross(iova, data, protection);
            if (error != Errno.None)
            {
                return error;
            }
        }

        if (write)
        {
            _dirty?.Mark(iova, (ulong)data.Length);
        }

        return Errno.None;
    }

    private Errno FindRun(ulong iova, ulong length, IommuProtection protection, out HostRun run)
    {
        run = default;
        if (length == 0)
        {
            return Errno.EINVAL;
        }

        Errno error = Check(iova, protection, out DmaMap? map);
        if (error != Errno.None)
        {
            return error;
        }

        nint address = map!.AddressOf(iova);
        if (length > map.BytesFrom(iova))
        {
            error = CheckRest(iova, length, protection, map);
            if (error != Errno.None)
            {
                return error;
            }
        }

        run = new HostRun(iova, address, length);
        if ((protection & IommuProtection.IOMMU_WRITE) != 0)
        {
            _dirty?.Mark(iova, length);
        }

        return Errno.None;
    }

    internal Errno ResolveRuns(ulong iova, ulong length, IommuProtection protection, List<HostRun> runs, bool joinByAddress, int maxRuns)
    {
        if (!_busMaster)
        {
            return Errno.EPERM;
        }

        if (length == 0)
        {
            return Errno.None;
        }

        if (length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EFAULT;
        }

        int count = runs.Count;
        HostRun before = count == 0 ? default : runs[count - 1];
        ulong at = iova;
        ulong left = length;
        while (true)
        {
            Errno error = Check(at, protection, out DmaMap? map);
            ulong piece = Math.Min(left, map?.BytesFrom(at) ?? 0);
            if (error == Errno.None && !TryAppend(runs, new HostRun(at, map!.AddressOf(at), piece), joinByAddress, maxRuns))
            {
                error = Errno.E2BIG;
            }

            if (error != Errno.None)
            {
                runs.RemoveRange(count, runs.Count - count);
                if (count != 0)
                {
                    runs[count - 1] = before;
                }

                return error;
            }

            left -= piece;
            if (left == 0)
            {
                break;
            }

            at += piece;
        }

        if ((protection & IommuProtection.IOMMU_WRITE) != 0)
        {
            _dirty?.Mark(iova, length);
        }

        return Errno.None;
    }

    private static bool TryAppend(List<HostRun> runs, HostRun run, bool joinByAddress, int maxRuns)
    {
        if (runs.Count != 0)
        {
            HostRun last = runs[^1];
            if (last.Address + (nint)last.Length == run.Address && (joinByAddress || last.Iova + last.Length == run.Iova))
            {
                runs[^1] = last with { Length = last.Length + run.Length };
                return true;
            }
        }

        if (runs.Count >= maxRuns)
        {
            return false;
        }

        runs.Add(run);
        return true;
    }

    // Sound: the caller checked that the bytes lie in one map and holds the device's lock.
    private static unsafe void Copy(byte* memory, Span<byte> data, bool write)
    {
        var guest = new Span<byte>(memory, data.Length);
        if (write)
        {
            data.CopyTo(guest);
        }
        else
        {
            guest.CopyTo(data);
        }
    }

    // The map that holds an address, if the device may touch it so. Found without the domain's lock: a map is immutable, and
    // Unmap marks it as gone before it waits for the device's lock, which the caller holds.
    private Errno Check(ulong iova, IommuProtection protection, out DmaMap? map)
    {
        map = _lastHit;
        if (map is null || !map.Contains(iova) || map.IsGone)
        {
            map = Find(iova);
        }

        return !_busMaster ? Errno.EPERM : Allowed(map, protection);
    }

    private DmaMap? Find(ulong iova)
    {
        DmaMap? map = _iotlb.Find(iova);
        if (map is null)
        {
            map = Search(iova);
            if (map is null)
            {
                return null;
            }
        }

        _lastHit = map;
        return map;
    }

    private DmaMap? Search(ulong iova)
    {
        if (!_table.TryFind(iova, out DmaMap? map))
        {
            lock (_lock)
            {
                map = _table.Find(iova);
            }
        }

        if (map is not null && _table.Count > FewMaps)
        {
            _iotlb.Remember(iova, map);
        }

        return map;
    }

    private static Errno Allowed(DmaMap? map, IommuProtection protection) =>
        map is null ? Errno.EFAULT
        : (map.Protection & protection) != protection ? Errno.EPERM
        : map.Address == 0 ? Errno.EFAULT
        : Errno.None;

    // Whether a range that leaves its first map goes on in maps that follow it here as well.
    private Errno CheckRest(ulong iova, ulong length, IommuProtection protection, DmaMap map)
    {
        if (length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EFAULT;
        }

        bool onePiece = true;
        ulong last = iova + (length - 1);
        lock (_lock)
        {
            while (last > map.Last)
            {
                DmaMap? next = _table.Find(map.Last + 1);
                if (Allowed(next, protection) is Errno error and not Errno.None)
                {
                    return error;
                }

                onePiece &= map.Address + (nint)map.Size == next!.Address;
                map = next;
            }
        }

        return onePiece ? Errno.None : Errno.ERANGE;
    }

    // A copy over a border, which is rare: under the lock, so that what was checked is what is copied.
    private unsafe Errno CopyAcross(ulong iova, Span<byte> data, IommuProtection protection)
    {
        if ((ulong)data.Length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EFAULT;
        }

        bool write = protection == IommuProtection.IOMMU_WRITE;
        lock (_lock)
        {
            for (int pass = 0; pass < 2; pass++)
            {
                Span<byte> rest = data;
                ulong at = iova;
                while (!rest.IsEmpty)
                {
                    DmaMap? map = _table.Find(at);
                    if (Allowed(map, protection) is Errno error and not Errno.None)
                    {
                        return error;
                    }

                    int piece = (int)Math.Min((ulong)rest.Length, map!.BytesFrom(at));
                    if (pass == 1)
                    {
                        Copy((byte*)map.AddressOf(at), rest[..piece], write);
                    }

                    rest = rest[piece..];
                    at += (ulong)piece;
                }
            }
        }

        return Errno.None;
    }
}
