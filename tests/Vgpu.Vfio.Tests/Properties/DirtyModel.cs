using Vgpu.Linux;

namespace Vgpu.Vfio.Tests.Properties;

/// <summary>Dirty tracking as simple as can be: sets of dirty pages, and for each bit of a report a look at all of them.</summary>
internal sealed class DirtyModel
{
    private readonly List<Tracked> _ranges = [];
    private readonly Dictionary<ulong, int> _pins = [];

    internal Errno Start(DirtyStep step)
    {
        Errno errno =
            step.Length == 0 || step.Shift < 12 || ((step.Iova | step.Length) & (step.PageSize - 1)) != 0 ? Errno.EINVAL
            : step.Length - 1 > ulong.MaxValue - step.Iova ? Errno.EOVERFLOW
            : _ranges.Exists(range => range.First <= step.Iova + (step.Length - 1) && step.Iova <= range.Last) ? Errno.EINVAL
            : Errno.None;
        if (errno == Errno.None)
        {
            _ranges.Add(new Tracked(step.Iova, step.Iova + (step.Length - 1), step.Shift));
        }

        return errno;
    }

    internal Errno StartAll(int shift)
    {
        if (_ranges.Count != 0 || shift < 12)
        {
            return Errno.EINVAL;
        }

        _ranges.Add(new Tracked(0, (1UL << 48) - 1, shift));
        _ranges.Add(new Tracked(ulong.MaxValue - (DirtyStep.Window - 1), ulong.MaxValue, 12));
        return Errno.None;
    }

    internal void Stop() => _ranges.Clear();

    internal void Mark(ulong iova, ulong length)
    {
        ulong last = length - 1 > ulong.MaxValue - iova ? ulong.MaxValue : iova + (length - 1);
        foreach (Tracked range in _ranges)
        {
            for (ulong at = Math.Max(iova, range.First); length != 0 && at <= Math.Min(last, range.Last);)
            {
                ulong page = (at - range.First) >> range.Shift;
                range.Dirty.Add(page);
                ulong end = range.EndOf(page);
                if (end == ulong.MaxValue)
                {
                    break;
                }

                at = end + 1;
            }
        }
    }

    internal void Pin(ulong page)
    {
        _pins[page] = _pins.GetValueOrDefault(page) + 1;
        Mark(page, 4096);
    }

    internal void Unpin(ulong page)
    {
        if (_pins.TryGetValue(page, out int count))
        {
            Mark(page, 4096);
            _pins.Remove(page);
            if (count > 1)
            {
                _pins[page] = count - 1;
            }
        }
    }

    /// <summary>The bits that a report sets.</summary>
    internal Errno Report(DirtyStep step, out List<int> bits)
    {
        bits = [];
        if (_ranges.Count == 0)
        {
            return Errno.EINVAL;
        }

        foreach (ulong page in _pins.Keys)
        {
            Mark(page, 4096);
        }

        if (step.Length == 0)
        {
            return Errno.EINVAL;
        }

        if (step.Length - 1 > ulong.MaxValue - step.Iova)
        {
            return Errno.EOVERFLOW;
        }

        ulong last = step.Iova + (step.Length - 1);
        for (ulong n = 0; n <= (step.Length - 1) >> step.Shift; n++)
        {
            ulong first = step.Iova + (n << step.Shift);
            ulong end = step.PageSize - 1 > last - first ? last : first + (step.PageSize - 1);
            if (_ranges.Exists(range => range.Dirty.Any(page => range.StartOf(page) <= end && first <= range.EndOf(page))))
            {
                bits.Add((int)n);
            }
        }

        foreach (Tracked range in _ranges)
        {
            range.Dirty.RemoveWhere(page => step.Iova <= range.StartOf(page) && range.EndOf(page) <= last);
        }

        return Errno.None;
    }

    private sealed record Tracked(ulong First, ulong Last, int Shift)
    {
        internal HashSet<ulong> Dirty { get; } = [];

        internal ulong StartOf(ulong page) => First + (page << Shift);

        internal ulong EndOf(ulong page) => StartOf(page) + ((1UL << Shift) - 1);
    }
}
