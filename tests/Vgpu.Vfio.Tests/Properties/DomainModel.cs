using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vfio.Tests.Properties;

/// <summary>A domain as simple as can be: a list of maps, looked at one by one for each page.</summary>
internal sealed class DomainModel(int maxMaps)
{
    private readonly List<Mapped> _maps = [];

    internal bool BusMaster { get; set; } = true;

    internal int Count => _maps.Count;

    internal void Clear() => _maps.Clear();

    /// <summary>The order of the checks is the order of the answers.</summary>
    internal Errno Map(DomainStep step, bool hasFile)
    {
        if (step.Pages == 0 || step.Pages > DomainStep.Pages64 - step.Page || step.Protection == IommuProtection.None)
        {
            return Errno.EINVAL;
        }

        if (_maps.Exists(map => map.Page < step.Page + step.Pages && step.Page < map.Page + map.Pages))
        {
            return Errno.EEXIST;
        }

        if (Count == maxMaps)
        {
            return Errno.ENOSPC;
        }

        if (hasFile && step.FilePage + step.Pages > DomainStep.FilePages)
        {
            return Errno.EINVAL;
        }

        _maps.Add(new Mapped(step.Page, step.Pages, hasFile ? step.FilePage : null, step.Protection));
        return Errno.None;
    }

    internal Errno Unmap(DomainStep step)
    {
        if (step.Pages == 0 || step.Pages > DomainStep.Pages64 - step.Page)
        {
            return Errno.EINVAL;
        }

        ulong end = step.Page + step.Pages;
        if (_maps.Exists(map => (map.Page < step.Page && step.Page < map.Page + map.Pages) || (map.Page < end && end < map.Page + map.Pages)))
        {
            return Errno.EINVAL;
        }

        return _maps.RemoveAll(map => step.Page <= map.Page && map.Page < end) == 0 ? Errno.ENOENT : Errno.None;
    }

    /// <summary>What an access of one byte or more answers.</summary>
    internal Errno Check(ulong iova, ulong length, IommuProtection protection)
    {
        if (!BusMaster)
        {
            return Errno.EPERM;
        }

        bool wraps = length - 1 > ulong.MaxValue - iova;
        ulong last = wraps ? DomainStep.Pages64 - 1 : (iova + length - 1) / Type2.PageSize;
        for (ulong page = iova / Type2.PageSize; page <= last; page++)
        {
            if (Find(page) is not { } map)
            {
                return Errno.EFAULT;
            }

            if ((map.Protection & protection) != protection)
            {
                return Errno.EPERM;
            }

            if (map.FilePage is null)
            {
                return Errno.EFAULT;
            }
        }

        return wraps ? Errno.EFAULT : Errno.None;
    }

    /// <summary>Which byte of the file an address that may be reached is.</summary>
    internal int FileOffset(ulong iova)
    {
        ulong page = iova / Type2.PageSize;
        Mapped map = Find(page)!;
        return (int)(((map.FilePage!.Value + (page - map.Page)) * Type2.PageSize) + (iova % Type2.PageSize));
    }

    private Mapped? Find(ulong page) => _maps.Find(map => page - map.Page < map.Pages);

    private sealed record Mapped(ulong Page, ulong Pages, ulong? FilePage, IommuProtection Protection);
}
