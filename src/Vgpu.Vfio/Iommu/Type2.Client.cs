using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

// Memory that is mapped and can't be reached from here: its client is asked.
public sealed partial class Type2
{
    /// <summary>
    /// Asks the client for memory that it has mapped, and not shared all of. Any thread without a lock. EFAULT: it is not
    /// mapped, or there is nobody to ask; EPERM: not that way, or bus mastering is off.
    /// </summary>
    internal Errno AskClient(ulong iova, Span<byte> data, bool write)
    {
        if (data.IsEmpty || _clientMemory is not { } memory || (ulong)data.Length - 1 > ulong.MaxValue - iova)
        {
            return Errno.EFAULT;
        }

        IommuProtection protection = write ? IommuProtection.IOMMU_WRITE : IommuProtection.IOMMU_READ;
        Errno errno = CheckMapped(iova, iova + ((ulong)data.Length - 1), protection);
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = write ? memory.Write(iova, data) : memory.Read(iova, data);
        if (errno == Errno.None && write)
        {
            _dirty?.Mark(iova, (ulong)data.Length);
        }

        return errno;
    }

    private Errno CheckMapped(ulong iova, ulong last, IommuProtection protection)
    {
        if (!_busMaster)
        {
            return Errno.EPERM;
        }

        lock (_lock)
        {
            while (true)
            {
                DmaMap? map = _table.Find(iova);
                if (map is null || (map.Protection & protection) != protection)
                {
                    return map is null ? Errno.EFAULT : Errno.EPERM;
                }

                if (map.Last >= last)
                {
                    return Errno.None;
                }

                iova = map.Last + 1;
            }
        }
    }
}
