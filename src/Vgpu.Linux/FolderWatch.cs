using System.Text;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// Which names of some folders have changed since one last asked (inotify(7)): a change that ended before the question is in
/// the answer. Waits for nothing. Members may be called on any thread.
/// </summary>
public sealed class FolderWatch : IDisposable
{
    private const uint Watched = Libc.IN_ATTRIB | Libc.IN_CLOSE_WRITE | Libc.IN_MOVED_FROM | Libc.IN_MOVED_TO | Libc.IN_CREATE
        | Libc.IN_DELETE | Libc.IN_DELETE_SELF | Libc.IN_MOVE_SELF;

    private const int BufferSize = 16 << 10;

    private readonly Lock _lock = new();
    private readonly FileDescriptor _inotify;
    private readonly Dictionary<int, string> _folders = [];

    /// <summary>Throws <see cref="LinuxException"/>, as where the user has too many of them (fs.inotify.max_user_instances).</summary>
    public FolderWatch()
    {
        int fd = Libc.InotifyInit(Libc.IN_NONBLOCK | Libc.IN_CLOEXEC);
        _inotify = fd < 0 ? throw LinuxException.Last("inotify_init1") : new FileDescriptor(fd);
    }

    /// <summary>Watches a folder from now on; again is harmless. Throws <see cref="LinuxException"/>.</summary>
    public void Add(string folder)
    {
        lock (_lock)
        {
            int watch = Libc.InotifyAddWatch(_inotify.Number, folder, Watched);
            if (watch < 0)
            {
                throw LinuxException.Last("inotify_add_watch", folder);
            }

            _folders[watch] = folder;
        }
    }

    /// <summary>
    /// Adds the paths that have changed since the last call, in the order of their changes and possibly more than once. False:
    /// too many, or a folder itself went, so that all folders are to be looked at.
    /// </summary>
    // Sound: the kernel writes whole events into this frame's buffer, and each is read within what it wrote.
    public unsafe bool Take(ICollection<string> changed)
    {
        bool whole = true;
        byte* buffer = stackalloc byte[BufferSize];
        lock (_lock)
        {
            nint length;
            while ((length = Libc.Read(_inotify.Number, buffer, BufferSize)) > 0)
            {
                for (nint at = 0; at + sizeof(Libc.InotifyEvent) <= length;)
                {
                    var seen = (Libc.InotifyEvent*)(buffer + at);
                    var name = new ReadOnlySpan<byte>(buffer + at + sizeof(Libc.InotifyEvent), (int)seen->Length);
                    at += sizeof(Libc.InotifyEvent) + (nint)seen->Length;
                    if (seen->Length == 0 || !_folders.TryGetValue(seen->Watch, out string? folder))
                    {
                        // Of a folder itself, or IN_Q_OVERFLOW, whose watch is -1.
                        whole = false;
                        continue;
                    }

                    changed.Add(Path.Combine(folder, Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)])));
                }
            }
        }

        return whole;
    }

    /// <inheritdoc/>
    public void Dispose() => _inotify.Dispose();
}
