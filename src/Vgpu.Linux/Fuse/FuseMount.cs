using System.Runtime.InteropServices;
using System.Text;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// A tree of short texts, mounted through libfuse's low-level API (fuse_lowlevel.h). One thread receives and answers; a
/// few carry out writes. The kernel keeps nothing: each look-up and each read comes here.
/// </summary>
public sealed unsafe class FuseMount : IDisposable
{
    /// <summary>The mount's type is <c>fuse.vgpu</c>.</summary>
    internal const string Type = "vgpu";

    private const string Device = "/dev/fuse";
    private const int ReceiveSize = (int)FuseAnswers.MaxMessage + (64 << 10);

    private static readonly Lock s_mounting = new();
    private static string? s_complaint;

    private readonly nint _session;
    private readonly FuseAnswers _answers;
    private readonly FuseWriters _writers;
    private readonly EventFd _stop = EventFd.Create();
    private readonly Thread _thread;
    private bool _disposed;

    private FuseMount(string path, nint session, FuseAnswers answers, FuseWriters writers)
    {
        Path = path;
        _session = session;
        _answers = answers;
        _writers = writers;
        _answers.Session = session;
        _thread = new Thread(Run) { Name = "tree", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Where it is mounted; absolute.</summary>
    public string Path { get; }

    /// <summary>Nodes and open files that the kernel has; for tests.</summary>
    internal (int Inodes, int Opened) Held => _answers.Held;

    /// <summary>
    /// Mounts <paramref name="root"/> at <paramref name="path"/>, whose folder is made where it is missing; a mount that a
    /// killed process left there is taken away first. Others than the owner see it where the owner is root. Throws
    /// <see cref="FuseException"/>.
    /// </summary>
    public static FuseMount Mount(string path, FuseFolder root)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!LibFuse.IsThere)
        {
            throw new FuseException("libfuse3 is missing; install it with: apt install libfuse3-3");
        }

        RequireDevice();
        MountPoint.Prepare(path);
        var writers = new FuseWriters();
        var answers = new FuseAnswers(root, writers);
        nint session = 0;
        try
        {
            lock (s_mounting)
            {
                session = Start(path, answers);
            }

            return new FuseMount(path, session, answers, writers);
        }
        catch
        {
            writers.Dispose();
            answers.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Unmounts, also while files are open: whoever uses them is told ENOTCONN. Waits for writes that are under way. Not
    /// from a delegate of the tree.
    /// </summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;

        // Requests are answered until the last write is done: it may be a folder's holder that it waits for.
        _writers.Dispose();
        _stop.Signal();
        _thread.Join();

        // Ends the connection too: until the last descriptor of the device is closed, of which a child between fork and
        // exec has one, whoever has asked would wait for an answer. Only root may; else libfuse's own way is the only one.
        _ = Libc.UMount2(Path, Libc.MNT_FORCE | Libc.MNT_DETACH);
        LibFuse.SessionUnmount(_session);
        LibFuse.SessionDestroy(_session);
        _answers.Dispose();
        _stop.Dispose();
    }

    private static void RequireDevice()
    {
        try
        {
            FileDescriptor.OpenReadWrite(Device).Dispose();
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENXIO or Errno.ENODEV)
        {
            throw new FuseException($"{Device} is missing; load the kernel's module with: modprobe fuse", e);
        }
        catch (LinuxException e)
        {
            throw new FuseException($"{e.Message}; the tree needs it, for reading and writing", e);
        }
    }

    private static nint Start(string path, FuseAnswers answers)
    {
        string options = $"fsname={Type},subtype={Type},default_permissions";
        if (Libc.GetEUid() == 0)
        {
            options += ",allow_other";
        }

        s_complaint = null;
        LibFuse.SetLogFunction(&Complain);
        FuseOperationTable operations = FuseCallbacks.Table();
        nint session;

        // Sound: libfuse copies the operations, and the arguments before it changes them.
        fixed (byte* program = "vgpu\0"u8, option = "-o\0"u8, value = Encoding.UTF8.GetBytes(options + "\0"))
        {
            byte** values = stackalloc byte*[] { program, option, value, null };
            var arguments = new FuseArgs { Count = 3, Values = values };
            session = LibFuse.SessionNew(&arguments, &operations, answers.UserData);
            LibFuse.FreeArgs(&arguments);
        }

        if (session == 0)
        {
            throw new FuseException($"libfuse3 makes no session: {s_complaint ?? "no reason given"}");
        }

        if (LibFuse.SessionMount(session, path) != 0)
        {
            LibFuse.SessionDestroy(session);
            throw new FuseException($"the tree can't be mounted at {path}: {s_complaint ?? "not permitted; run as root, or install fusermount3 with: apt install fuse3"}");
        }

        _ = Libc.Fcntl(LibFuse.SessionFd(session), Libc.F_SETFL, Libc.O_NONBLOCK);
        return session;
    }

    // What libfuse would print; the first line of a mount that fails says why.
    [UnmanagedCallersOnly]
    private static void Complain(int level, byte* format, nint arguments)
    {
        // Sound: vsnprintf writes no more than it is told, and ends it with a zero.
        byte* line = stackalloc byte[512];
        if (Libc.VSnPrintF(line, 512, format, arguments) > 0)
        {
            s_complaint ??= Marshal.PtrToStringUTF8((nint)line)?.Trim();
        }
    }

    private void Run()
    {
        byte* memory = (byte*)NativeMemory.Alloc(ReceiveSize);
        var device = new FileDescriptor(LibFuse.SessionFd(_session));
        try
        {
            var wait = new PollSet();
            while (true)
            {
                wait.Clear();
                int stop = wait.Add(_stop.Descriptor, PollEvents.POLLIN);
                wait.Add(device, PollEvents.POLLIN);
                if (!wait.Wait(-1))
                {
                    continue;
                }

                if (wait.Ready(stop) != PollEvents.None || !Receive(device, memory))
                {
                    return;
                }
            }
        }
        finally
        {
            device.SetHandleAsInvalid();
            NativeMemory.Free(memory);
        }
    }

    // False: unmounted by somebody else.
    private bool Receive(FileDescriptor device, byte* memory)
    {
        // Sound: the kernel writes no more than it is told, and libfuse reads what was written.
        nint length = Libc.Read(device.Number, memory, ReceiveSize);
        if (length < 0)
        {
            // ENOENT: whoever asked has gone meanwhile.
            return (Errno)Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR or Errno.ENOENT;
        }

        var message = new FuseBuffer { Size = (nuint)length, Memory = memory };
        LibFuse.SessionProcess(_session, &message);
        return true;
    }
}
