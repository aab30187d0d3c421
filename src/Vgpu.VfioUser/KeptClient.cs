using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.VfioUser;

/// <summary>
/// A client as its keeper knows it: what a successor takes over. Owns its descriptors, and duplicates what it is given; maps of
/// one file share one descriptor. One thread at a time.
/// </summary>
/// <remarks>
/// It believes nobody: what no server would tell (a map over another, an unmap that splits one, more than a server takes) is
/// refused with <see cref="InvalidDataException"/>, and changes nothing.
/// </remarks>
public sealed partial class KeptClient : IDisposable
{
    /// <summary>Files of maps at most.</summary>
    public const int MaxFiles = 8192;

    private static readonly IComparer<Entry> _byAddress = Comparer<Entry>.Create((left, right) => left.Map.Iova.CompareTo(right.Map.Iova));

    private readonly SortedSet<Entry> _maps = new(_byAddress);
    private readonly Dictionary<FileKey, KeptFile> _files = [];

    /// <summary>Takes ownership of the connected socket.</summary>
    public KeptClient(FileDescriptor socket) => Socket = socket;

    /// <summary>The connected socket.</summary>
    public FileDescriptor Socket { get; }

    /// <summary>By address. Files are this client's, and valid until its next change.</summary>
    public IEnumerable<(KeptMap Map, FileDescriptor? File)> Maps => _maps.Select(entry => (entry.Map, entry.File?.Descriptor));

    /// <summary>How many there are.</summary>
    public int MapCount => _maps.Count;

    /// <summary>Descriptors of memory that are held.</summary>
    public int FileCount => _files.Count;

    /// <summary>Adds a map.</summary>
    public void Map(in KeptMap map, FileDescriptor? file)
    {
        if (!IsRange(map.Iova, map.Size) || map.Protection == 0 || AtOrBefore(LastOf(map.Iova, map.Size)) is { } other && other.Last >= map.Iova)
        {
            throw Refused($"{map} is no map, or lies over another");
        }

        if (_maps.Count >= VfioUserLimits.MaxDmaMaps)
        {
            throw Refused($"there are {_maps.Count} maps already");
        }

        _maps.Add(new Entry(map, file is null ? null : Keep(file)));
    }

    /// <summary>Takes away all maps within a range; there may be none.</summary>
    public void Unmap(ulong iova, ulong size)
    {
        if (!IsRange(iova, size))
        {
            throw Refused($"0x{size:x} bytes at 0x{iova:x} are no range");
        }

        ulong last = LastOf(iova, size);
        if ((AtOrBefore(iova) is { } head && head.Map.Iova < iova && head.Last >= iova) || (AtOrBefore(last) is { } tail && tail.Last > last))
        {
            throw Refused($"an unmap of 0x{size:x} bytes at 0x{iova:x} splits a map");
        }

        Entry[] gone = [.. _maps.GetViewBetween(Entry.At(iova), Entry.At(last))];
        foreach (Entry entry in gone)
        {
            _maps.Remove(entry);
            Release(entry.File);
        }
    }

    /// <summary>Takes away all maps.</summary>
    public void UnmapAll()
    {
        _maps.Clear();
        foreach (KeptFile file in _files.Values)
        {
            file.Descriptor.Dispose();
        }

        _files.Clear();
    }

    /// <summary>Closes everything that is here.</summary>
    public void Dispose()
    {
        Socket.Dispose();
        UnmapAll();
        ForgetIrqs();
    }

    // One that can be written serves those who only read.
    private KeptFile Keep(FileDescriptor file)
    {
        if (!FileIdentity.TryOf(file, out FileIdentity identity))
        {
            throw Refused("the file of a map says nothing of itself");
        }

        var key = new FileKey(identity.Device, identity.Inode, IsWritable: true);
        if (!_files.TryGetValue(key, out KeptFile? kept)
            && (identity.IsWritable || !_files.TryGetValue(key = key with { IsWritable = false }, out kept)))
        {
            if (_files.Count >= MaxFiles)
            {
                throw Refused($"there are {_files.Count} files already");
            }

            kept = new KeptFile(key, file.Duplicate());
            _files.Add(key, kept);
        }

        kept.Users++;
        return kept;
    }

    private void Release(KeptFile? file)
    {
        if (file is not null && --file.Users == 0)
        {
            _files.Remove(file.Key);
            file.Descriptor.Dispose();
        }
    }

    private Entry? AtOrBefore(ulong iova) => _maps.GetViewBetween(Entry.At(0), Entry.At(iova)).Max;

    private static bool IsRange(ulong iova, ulong size) =>
        size != 0 && ((iova | size) & (Type2.PageSize - 1)) == 0 && size - 1 <= ulong.MaxValue - iova;

    private static ulong LastOf(ulong iova, ulong size) => iova + (size - 1);

    private static InvalidDataException Refused(string reason) => new($"no client that is served says so: {reason}");

    private sealed record Entry(KeptMap Map, KeptFile? File)
    {
        internal ulong Last => LastOf(Map.Iova, Map.Size);

        internal static Entry At(ulong iova) => new(new KeptMap(iova, 1, 0, 0), null);
    }

    private sealed class KeptFile(FileKey key, FileDescriptor descriptor)
    {
        internal FileKey Key { get; } = key;

        internal FileDescriptor Descriptor { get; } = descriptor;

        internal int Users { get; set; }
    }

    private readonly record struct FileKey(ulong Device, ulong Inode, bool IsWritable);
}
