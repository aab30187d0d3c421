namespace Vgpu.Linux;

/// <summary>
/// Nodes that the kernel knows, by the numbers that it knows them by: a name in a folder keeps its number for as long as
/// the kernel remembers it. The receiving thread alone.
/// </summary>
internal sealed class FuseInodes
{
    // FUSE_ROOT_ID
    private const ulong Root = 1;
    private const ulong FewEntries = 1024;
    private const uint S_IFMT = 0xf000;

    private readonly Dictionary<ulong, Entry> _byNumber = [];
    private readonly Dictionary<(ulong Parent, string Name, uint Kind), Entry> _byName = [];
    private ulong _last = Root;
    private ulong _nextSweep = FewEntries;

    internal FuseInodes(FuseNode root) =>
        _byNumber.Add(Root, new Entry { Number = Root, Key = (0, string.Empty, 0), Node = root, Lookups = 1 });

    internal int Count => _byNumber.Count;

    /// <summary>The node as it was at its last look-up; null where the kernel names what it has forgotten.</summary>
    internal FuseNode? Find(ulong number) => _byNumber.GetValueOrDefault(number)?.Node;

    /// <summary>The number to tell the kernel, which counts this as one look-up more.</summary>
    internal ulong Remember(ulong parent, string name, FuseNode node)
    {
        (ulong, string, uint) key = (parent, name, node.Mode & S_IFMT);
        if (!_byName.TryGetValue(key, out Entry? entry))
        {
            entry = new Entry { Number = ++_last, Key = key, Node = node };
            _byName.Add(key, entry);
            _byNumber.Add(entry.Number, entry);
        }

        entry.Node = node;
        entry.Lookups++;
        return entry.Number;
    }

    /// <summary>
    /// Names that are nothing any more and that the kernel still remembers, for it forgets only what it asks for again.
    /// Looked for once in as many new numbers as there are entries, so that what is remembered stays within twice of what
    /// is there; else empty.
    /// </summary>
    internal List<(ulong Parent, string Name)> Sweep()
    {
        if (_last < _nextSweep)
        {
            return [];
        }

        _nextSweep = _last + Math.Max(FewEntries, (ulong)_byNumber.Count);
        return [.. _byName.Keys.Where(key => Find(key.Parent) is FuseFolder folder && folder.Find(key.Name) is null).Select(key => (key.Parent, key.Name))];
    }

    internal void Forget(ulong number, ulong lookups)
    {
        if (number == Root || !_byNumber.TryGetValue(number, out Entry? entry))
        {
            return;
        }

        entry.Lookups -= Math.Min(lookups, entry.Lookups);
        if (entry.Lookups == 0)
        {
            _byNumber.Remove(number);
            _byName.Remove(entry.Key);
        }
    }

    private sealed class Entry
    {
        internal required ulong Number { get; init; }

        internal required (ulong Parent, string Name, uint Kind) Key { get; init; }

        internal required FuseNode Node { get; set; }

        internal ulong Lookups { get; set; }
    }
}
