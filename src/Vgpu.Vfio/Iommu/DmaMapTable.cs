namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The maps of a domain by address: the rb-tree dma_list of drivers/vfio/vfio_iommu_type1.c as sorted leaves of at most
/// <see cref="LeafCapacity"/> maps under one sorted array. A search touches only keys, and adding or taking away one map
/// moves a leaf's few, whether there are ten maps or 10,000. Guarded by Type2's lock, but for <see cref="TryFind"/>, which
/// sees by a count of changes (a seqlock, include/linux/seqlock.h) whether it read one state.
/// </summary>
internal sealed class DmaMapTable
{
    internal const int LeafCapacity = 128;

    private ulong[] _firsts = new ulong[16];
    private Leaf[] _leaves = new Leaf[16];
    private int _leafCount;

    // The last one that was emptied: one map that comes and goes makes no garbage.
    private Leaf? _spare;
    private uint _changes;

    // Where the last search by index ended: a leaf, and how many maps are before it.
    private (int Leaf, int Before) _lastIndexed;

    internal int Count { get; private set; }

    /// <summary>The map with this index; one after the other costs no search.</summary>
    internal DmaMap this[int index]
    {
        get
        {
            (int leaf, int before) = LeafOf(index);
            return _leaves[leaf].Maps[index - before]!;
        }
    }

    /// <summary>The map that holds <paramref name="iova"/>; null: none.</summary>
    internal DmaMap? Find(ulong iova)
    {
        int leaf = AtOrBefore(_firsts, _leafCount, iova);
        return leaf < 0 ? null : _leaves[leaf].Find(iova);
    }

    /// <summary>As <see cref="Find"/>, without the lock; false while a change is under way.</summary>
    internal bool TryFind(ulong iova, out DmaMap? map)
    {
        // What is read may be of two states, in which case it is thrown away below; an index out of an array it can't be.
        uint before = Volatile.Read(ref _changes);
        ulong[] firsts = _firsts;
        Leaf?[] leaves = _leaves;
        int index = AtOrBefore(firsts, Math.Min(_leafCount, firsts.Length), iova);
        map = (uint)index < (uint)leaves.Length ? leaves[index]?.Find(iova) : null;
        Volatile.ReadBarrier();
        return (before & 1) == 0 && _changes == before;
    }

    /// <summary>Whether a map touches [<paramref name="iova"/>, <paramref name="last"/>].</summary>
    internal bool Overlaps(ulong iova, ulong last)
    {
        int leaf = AtOrBefore(_firsts, _leafCount, last);
        return leaf >= 0 && _leaves[leaf].AtOrBefore(last) is { } map && map.Last >= iova;
    }

    /// <summary>The maps that touch [<paramref name="iova"/>, <paramref name="last"/>], as an index and a count.</summary>
    internal (int First, int Count) Range(ulong iova, ulong last)
    {
        int first = IndexAtOrBefore(iova);
        if (first < 0 || !this[first].Contains(iova))
        {
            first++;
        }

        int end = first < Count && this[first].Iova <= last ? IndexAtOrBefore(last) + 1 : first;
        return (first, Math.Max(0, end - first));
    }

    /// <summary>Adds a map that overlaps none.</summary>
    internal void Insert(DmaMap map)
    {
        BeginChange();
        int leaf = Math.Max(0, AtOrBefore(_firsts, _leafCount, map.Iova));
        if (_leafCount == 0)
        {
            InsertLeaf(0, NewLeaf());
        }
        else if (_leaves[leaf].Count == LeafCapacity)
        {
            leaf = Split(leaf, map.Iova);
        }

        _leaves[leaf].Insert(map);
        _firsts[leaf] = _leaves[leaf].Starts[0];
        Count++;
        _lastIndexed = default;
        EndChange();
    }

    /// <summary>Takes out <paramref name="count"/> maps from <paramref name="first"/> on and returns them.</summary>
    internal DmaMap[] Remove(int first, int count)
    {
        var removed = new DmaMap[count];
        (int leaf, int before) = LeafOf(first);
        int at = first - before;
        BeginChange();
        int emptied = 0;
        int firstEmptied = leaf;
        for (int done = 0; done < count; leaf++, at = 0)
        {
            Leaf from = _leaves[leaf];
            int piece = Math.Min(from.Count - at, count - done);
            from.Remove(at, removed.AsSpan(done, piece));
            done += piece;
            if (from.Count != 0)
            {
                _firsts[leaf] = from.Starts[0];
                continue;
            }

            firstEmptied = emptied++ == 0 ? leaf : firstEmptied;
        }

        // Only whole leaves between the first and the last are empty: they are neighbours.
        RemoveLeaves(firstEmptied, emptied);
        Count -= count;
        _lastIndexed = default;
        EndChange();
        return removed;
    }

    private void BeginChange()
    {
        _changes++;
        Volatile.WriteBarrier();
    }

    private void EndChange() => Volatile.Write(ref _changes, _changes + 1);

    private int IndexAtOrBefore(ulong iova)
    {
        int leaf = AtOrBefore(_firsts, _leafCount, iova);
        if (leaf < 0)
        {
            return -1;
        }

        int before = 0;
        for (int i = 0; i < leaf; i++)
        {
            before += _leaves[i].Count;
        }

        _lastIndexed = (leaf, before);
        return before + AtOrBefore(_leaves[leaf].Starts, _leaves[leaf].Count, iova);
    }

    // The leaf that holds the map with this index, and how many maps are before that leaf.
    private (int Leaf, int Before) LeafOf(int index)
    {
        (int leaf, int before) = index >= _lastIndexed.Before ? _lastIndexed : default;
        while (leaf < _leafCount && index - before >= _leaves[leaf].Count)
        {
            before += _leaves[leaf++].Count;
        }

        _lastIndexed = (leaf, before);
        return (leaf, before);
    }

    // Makes room in a full leaf, and says where the address belongs now. Addresses that come in order fill each leaf.
    private int Split(int leaf, ulong iova)
    {
        Leaf full = _leaves[leaf];
        Leaf upper = NewLeaf();
        bool isAfterAll = iova > full.Starts[LeafCapacity - 1];
        if (!isAfterAll)
        {
            full.MoveUpperHalf(upper);
        }

        InsertLeaf(leaf + 1, upper);
        _firsts[leaf + 1] = isAfterAll ? iova : upper.Starts[0];
        return iova >= _firsts[leaf + 1] ? leaf + 1 : leaf;
    }

    private void InsertLeaf(int index, Leaf leaf)
    {
        if (_leafCount == _leaves.Length)
        {
            Array.Resize(ref _firsts, _leafCount * 2);
            Array.Resize(ref _leaves, _leafCount * 2);
        }

        Array.Copy(_firsts, index, _firsts, index + 1, _leafCount - index);
        Array.Copy(_leaves, index, _leaves, index + 1, _leafCount - index);
        _leaves[index] = leaf;
        _leafCount++;
    }

    private Leaf NewLeaf()
    {
        Leaf leaf = _spare ?? new Leaf();
        _spare = null;
        return leaf;
    }

    private void RemoveLeaves(int first, int count)
    {
        if (count == 0)
        {
            return;
        }

        _spare = _leaves[first];
        int end = first + count;
        Array.Copy(_firsts, end, _firsts, first, _leafCount - end);
        Array.Copy(_leaves, end, _leaves, first, _leafCount - end);
        Array.Clear(_leaves, _leafCount - count, count);
        _leafCount -= count;
    }

    // The last key at or before the address; -1: none. Without a branch that depends on the keys.
    private static int AtOrBefore(ulong[] starts, int length, ulong iova)
    {
        int low = 0;
        while (length > 1)
        {
            int half = length >> 1;
            low = starts[low + half] <= iova ? low + half : low;
            length -= half;
        }

        return length == 1 && starts[low] <= iova ? low : -1;
    }

    // Neighbouring maps: their first addresses, and they themselves.
    private sealed class Leaf
    {
        internal readonly ulong[] Starts = new ulong[LeafCapacity];
        internal readonly DmaMap?[] Maps = new DmaMap?[LeafCapacity];

        internal int Count { get; private set; }

        // Also while another thread changes the leaf: then it finds anything, or nothing.
        internal DmaMap? Find(ulong iova) => AtOrBefore(iova) is { } map && map.Contains(iova) ? map : null;

        internal DmaMap? AtOrBefore(ulong iova)
        {
            int index = DmaMapTable.AtOrBefore(Starts, Count, iova);
            return index < 0 ? null : Maps[index];
        }

        internal void Insert(DmaMap map)
        {
            int index = DmaMapTable.AtOrBefore(Starts, Count, map.Iova) + 1;
            Array.Copy(Starts, index, Starts, index + 1, Count - index);
            Array.Copy(Maps, index, Maps, index + 1, Count - index);
            Starts[index] = map.Iova;
            Maps[index] = map;
            Count++;
        }

        internal void Remove(int first, Span<DmaMap> removed)
        {
            int end = first + removed.Length;
            Maps.AsSpan(first, removed.Length).CopyTo(removed!);
            Array.Copy(Starts, end, Starts, first, Count - end);
            Array.Copy(Maps, end, Maps, first, Count - end);
            Array.Clear(Maps, Count - removed.Length, removed.Length);
            Count -= removed.Length;
        }

        internal void MoveUpperHalf(Leaf upper)
        {
            int half = Count / 2;
            Array.Copy(Starts, half, upper.Starts, 0, Count - half);
            Array.Copy(Maps, half, upper.Maps, 0, Count - half);
            Array.Clear(Maps, half, Count - half);
            upper.Count = Count - half;
            Count = half;
        }
    }
}
