using System.Runtime.InteropServices;
using System.Text;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// Answers the kernel's requests about one tree. The receiving thread alone; each member answers its request once, or
/// throws before it did.
/// </summary>
internal sealed unsafe class FuseAnswers : IDisposable
{
    /// <summary>Bytes of a write that reach us at once: what sysfs would refuse is seen whole, and refused.</summary>
    internal const uint MaxMessage = 64 << 10;

    // Readers that never close: as many as any process may have descriptors.
    private const int MaxOpen = 1 << 16;
    private const int PageSize = 4096;
    private const int MaxNameBytes = 255;
    private const ulong UnknownInode = 0xffffffff;

    private readonly FuseInodes _inodes;
    private readonly FuseWriters _writers;
    private readonly Dictionary<ulong, Opened> _opened = [];
    private readonly long _time = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly uint _user = Libc.GetEUid();
    private readonly uint _group = Libc.GetEGid();
    private readonly byte[] _listing = new byte[PageSize * 16];
    private GCHandle _self;
    private ulong _lastHandle;

    internal FuseAnswers(FuseFolder root, FuseWriters writers)
    {
        _inodes = new FuseInodes(root);
        _writers = writers;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>What libfuse hands back with each request.</summary>
    internal nint UserData => GCHandle.ToIntPtr(_self);

    /// <summary>Set before the first request comes.</summary>
    internal nint Session { get; set; }

    /// <summary>Nodes and open files that the kernel has; for tests.</summary>
    internal (int Inodes, int Opened) Held => (_inodes.Count, _opened.Count);

    // Sound: freed by Dispose, after the session that holds it.
    internal static FuseAnswers Of(nint userData) => (FuseAnswers)GCHandle.FromIntPtr(userData).Target!;

    internal void Lookup(nint request, ulong parent, string name)
    {
        FuseNode node = (Node(parent) as FuseFolder ?? throw Error("lookup", Errno.ENOTDIR)).Find(name) ?? throw Error("lookup", Errno.ENOENT);
        ulong inode = _inodes.Remember(parent, name, node);
        byte* stat = stackalloc byte[FuseStat.Size];
        Describe(stat, inode, node);
        byte* entry = stackalloc byte[FuseStat.EntrySize];
        FuseStat.WriteEntry(new Span<byte>(entry, FuseStat.EntrySize), inode, new ReadOnlySpan<byte>(stat, FuseStat.Size));
        if (LibFuse.ReplyEntry(request, entry) != 0)
        {
            // Whoever asked has gone, and the kernel has not counted it.
            _inodes.Forget(inode, 1);
        }

        _ = FuseCallbacks.Try(this, static a => a.LetGo());
    }

    internal void Forget(ulong inode, ulong lookups) => _inodes.Forget(inode, lookups);

    internal void Attributes(nint request, ulong inode)
    {
        byte* stat = stackalloc byte[FuseStat.Size];
        Describe(stat, inode, Node(inode));
        _ = LibFuse.ReplyAttributes(request, stat, 0);
    }

    internal void ReadLink(nint request, ulong inode) =>
        _ = LibFuse.ReplyLink(request, (Node(inode) as FuseLink ?? throw Error("readlink", Errno.EINVAL)).Target);

    // As in sysfs, also root can't read or write what has no way for it.
    internal void Open(nint request, ulong inode, FuseFileInfo* info)
    {
        FuseFile file = Node(inode) as FuseFile ?? throw Error("open", Errno.EINVAL);
        int access = info->Flags & Libc.O_ACCMODE;
        if ((access != Libc.O_RDONLY && file.Write is null) || (access is Libc.O_RDONLY or Libc.O_RDWR && file.Read is null))
        {
            throw Error("open", Errno.EACCES);
        }

        // Past the page cache: each read is asked of us.
        info->Bits |= FuseFileInfo.DirectIo;
        Hold(request, info, new Opened { File = file });
    }

    internal void Read(nint request, ulong handle, nuint size, long offset)
    {
        Opened opened = OpenedAs(handle);
        if (offset == 0 || opened.Content is null)
        {
            string text = (opened.File?.Read ?? throw Error("read", Errno.EBADF))();
            opened.Content = Encoding.UTF8.GetBytes(text.EndsWith('\n') ? text : text + "\n");
        }

        long at = Math.Clamp(offset, 0, opened.Content.Length);
        int count = (int)Math.Min((ulong)(opened.Content.Length - at), size);

        // Sound: within the content, which is pinned for the call.
        fixed (byte* bytes = opened.Content)
        {
            _ = LibFuse.ReplyBytes(request, bytes + at, (nuint)count);
        }
    }

    internal void Write(nint request, ulong handle, ReadOnlySpan<byte> bytes)
    {
        Action<string> write = OpenedAs(handle).File?.Write ?? throw Error("write", Errno.EBADF);
        if (bytes.Length > FuseFile.MaxWrite)
        {
            throw Error("write", Errno.EINVAL);
        }

        string text = Encoding.UTF8.GetString(bytes);
        nuint length = (nuint)bytes.Length;
        _writers.Add(() =>
        {
            Errno error = FuseCallbacks.Try((write, text), static w => w.write(w.text));
            _ = error == Errno.None ? LibFuse.ReplyWritten(request, length) : LibFuse.ReplyError(request, (int)error);
        });
    }

    internal void OpenFolder(nint request, ulong inode, FuseFileInfo* info) =>
        Hold(request, info, new Opened { Folder = Node(inode) as FuseFolder ?? throw Error("opendir", Errno.ENOTDIR) });

    // An offset is the number of entries that came before it, in the list that was made at offset 0.
    internal void ReadFolder(nint request, ulong handle, nuint size, long offset)
    {
        Opened opened = OpenedAs(handle);
        if (offset == 0 || opened.Entries is null)
        {
            FuseFolder folder = opened.Folder ?? throw Error("readdir", Errno.EBADF);
            opened.Entries = [new(".", folder), new("..", folder), .. folder.Entries().Where(entry => IsName(entry.Key))];
        }

        nuint room = Math.Min(size, (nuint)_listing.Length);
        nuint used = 0;
        byte* stat = stackalloc byte[FuseStat.Size];

        // Sound: libfuse writes an entry where it fits, and nothing where it does not.
        fixed (byte* listing = _listing)
        {
            for (long i = Math.Max(offset, 0); i < opened.Entries.Count; i++)
            {
                KeyValuePair<string, FuseNode> entry = opened.Entries[(int)i];
                Describe(stat, UnknownInode, entry.Value);
                nuint needed = LibFuse.AddEntry(request, listing + used, room - used, entry.Key, stat, i + 1);
                if (needed > room - used)
                {
                    break;
                }

                used += needed;
            }

            _ = LibFuse.ReplyBytes(request, listing, used);
        }
    }

    internal void Release(nint request, ulong handle)
    {
        _opened.Remove(handle);
        _ = LibFuse.ReplyError(request, 0);
    }

    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    private static bool IsName(string name) =>
        name is not ("" or "." or "..") && name.AsSpan().IndexOfAny('/', '\0') < 0 && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes;

    private static LinuxException Error(string call, Errno errno) => new(call, errno);

    // Not on this thread, which answers whoever holds the folder meanwhile.
    private void LetGo()
    {
        foreach ((ulong parent, string name) in _inodes.Sweep())
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name + "\0");
            _writers.Add(() =>
            {
                // Sound: the name ends with a zero, which its length leaves out.
                fixed (byte* first = bytes)
                {
                    _ = LibFuse.NotifyGone(Session, parent, first, (nuint)bytes.Length - 1);
                }
            });
        }
    }

    private FuseNode Node(ulong inode) => _inodes.Find(inode) ?? throw Error("fuse", Errno.ENOENT);

    private Opened OpenedAs(ulong handle) => _opened.GetValueOrDefault(handle) ?? throw Error("fuse", Errno.EBADF);

    private void Hold(nint request, FuseFileInfo* info, Opened opened)
    {
        if (_opened.Count >= MaxOpen)
        {
            throw Error("open", Errno.ENFILE);
        }

        ulong handle = ++_lastHandle;
        info->Handle = handle;
        _opened.Add(handle, opened);
        if (LibFuse.ReplyOpen(request, info) != 0)
        {
            // Whoever asked has gone, and no release will come.
            _opened.Remove(handle);
        }
    }

    private void Describe(byte* stat, ulong inode, FuseNode node)
    {
        uint links = node is FuseFolder ? 2u : 1u;
        long size = node switch
        {
            FuseFile => PageSize,
            FuseLink link => Encoding.UTF8.GetByteCount(link.Target),
            _ => 0,
        };
        FuseStat.Write(new Span<byte>(stat, FuseStat.Size), inode, node.Mode, links, _user, _group, size, _time);
    }

    private sealed class Opened
    {
        internal FuseFile? File { get; init; }

        internal FuseFolder? Folder { get; init; }

        internal byte[]? Content { get; set; }

        internal List<KeyValuePair<string, FuseNode>>? Entries { get; set; }
    }
}
