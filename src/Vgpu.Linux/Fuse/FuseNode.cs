// What a mounted tree is made of. The tree is asked anew each time: nothing of it is kept but the nodes that are in use.
namespace Vgpu.Linux;

/// <summary>
/// A folder, a file or a link of a <see cref="FuseMount"/>. Its delegates are called on the mount's threads; they throw
/// <see cref="LinuxException"/> for the errno that the caller is to see, and anything else is EIO.
/// </summary>
public abstract class FuseNode
{
    private protected FuseNode(uint mode) => Mode = mode;

    // st_mode: kind and permission.
    internal uint Mode { get; }
}

/// <summary>A folder, which others may read (0755).</summary>
public sealed class FuseFolder : FuseNode
{
    private const uint S_IFDIR = 0x4000;

    private readonly Func<IEnumerable<KeyValuePair<string, FuseNode>>> _entries;
    private readonly Func<string, FuseNode?> _find;

    /// <summary>
    /// A folder whose entries come and go. <paramref name="find"/> says what a name is now; null: nothing. Names that no
    /// file can have are left out.
    /// </summary>
    public FuseFolder(Func<IEnumerable<KeyValuePair<string, FuseNode>>> entries, Func<string, FuseNode?> find)
        : base(S_IFDIR | 0x1ed)
    {
        _entries = entries;
        _find = find;
    }

    /// <summary>A folder that stays as it is.</summary>
    public FuseFolder(IReadOnlyDictionary<string, FuseNode> entries)
        : this(() => entries, name => entries.GetValueOrDefault(name))
    {
    }

    internal IEnumerable<KeyValuePair<string, FuseNode>> Entries() => _entries();

    internal FuseNode? Find(string name) => _find(name);
}

/// <summary>An attribute, as sysfs has them: one short text.</summary>
public sealed class FuseFile : FuseNode
{
    /// <summary>Bytes that a write may have; more is EINVAL. A page, as in sysfs.</summary>
    public const int MaxWrite = 4096;

    private const uint S_IFREG = 0x8000;

    /// <summary>
    /// A file that can be read, written or both; only the owner writes. A read answers with the whole content, made when it
    /// begins. A write is handed over whole, on a thread where it may wait.
    /// </summary>
    public FuseFile(Func<string>? read, Action<string>? write)
        : base(S_IFREG | (read is null ? 0u : 0x124) | (write is null ? 0u : 0x80))
    {
        Read = read;
        Write = write;
    }

    internal Func<string>? Read { get; }

    internal Action<string>? Write { get; }
}

/// <summary>A symbolic link.</summary>
public sealed class FuseLink : FuseNode
{
    private const uint S_IFLNK = 0xa000;

    /// <summary>A link to what <paramref name="target"/> names, from the link's folder where it is relative.</summary>
    public FuseLink(string target)
        : base(S_IFLNK | 0x1ff) => Target = target;

    internal string Target { get; }
}
