namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The maps of a domain by address: the rb-tree dma_list of drivers/vfio/vfio_iommu_type1.c as two sorted arrays. A
/// search touches only the keys, and adding one map among 10,000 moves some 80 KB. Guarded by Type2's lock.
/// </summary>
internal sealed class DmaMapTable
{
    private ulong[] _starts = new ulong[16];
    private DmaMap[] _maps = new DmaMap[16];

    internal int Count { get; private set; }

    internal DmaMap this[int index] => _maps[index];

    /// <summary>The map that holds <paramref name="iova"/>; null: none.</summary>
    internal DmaMap? Find(ulong iova)
    {
        int index = AtOrBefore(iova);
        return index >= 0 && _maps[index].Contains(iova) ? _maps[index] : null;
    }

    /// <summary>The maps that touch [<paramref name="iova"/>, <paramref name="last"/>], as an index and a count.</summary>
    internal (int First, int Count) Range(ulong iova, ulong last)
    {
        int first = AtOrBefore(iova);
        if (first < 0 || !_maps[first].Contains(iova))
        {
            first++;
        }

        int end = AtOrBefore(last) + 1;
        return (first, Math.Max(0, end - first));
    }

    /// <summary>Adds a map that overlaps none.</summary>
    internal void Insert(DmaMap map)
    {
        if (Count == _starts.Length)
        {
            Array.Resize(ref _starts, Count * 2);
            Array.Resize(ref _maps, Count * 2);
        }

        int index = AtOrBefore(map.Iova) + 1;
        Array.Copy(_starts, index, _starts, index + 1, Count - index);
        Array.Copy(_maps, index, _maps, index + 1, Count - index);
        _starts[index] = map.Iova;
        _maps[index] = map;
        Count++;
    }

    /// <summary>Takes out <paramref name="count"/> maps from <paramref name="first"/> on and returns them.</summary>
    internal DmaMap[] Remove(int first, int count)
    {
        DmaMap[] removed = _maps[first..(first + count)];
        int end = first + count;
        Array.Copy(_starts, end, _starts, first, Count - end);
        Array.Copy(_maps, end, _maps, first, Count - end);
        Array.Clear(_maps, Count - count, count);
        Count -= count;
        return removed;
    }

    // The last map that begins at or before the address; -1: none. Without a branch that depends on the keys.
    private int AtOrBefore(ulong iova)
    {
        ulong[] starts = _starts;
        int low = 0;
        int length = Count;
        while (length > 1)
        {
            int half = length >> 1;
            low = starts[low + half] <= iova ? low + half : low;
            length -= half;
        }

        return length == 1 && starts[low] <= iova ? low : -1;
    }
}
