using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// What libfuse calls (struct fuse_lowlevel_ops), on the receiving thread. No exception leaves here: libfuse's frames
/// could not pass it on.
/// </summary>
internal static unsafe class FuseCallbacks
{
    internal static FuseOperationTable Table()
    {
        // Sound: a C caller takes its arguments away itself, so that one function may stand for operations of any.
        nint refuse = (nint)(delegate* unmanaged<nint, void>)&Refuse;
        return new FuseOperationTable
        {
            Init = (nint)(delegate* unmanaged<nint, FuseConnection*, void>)&Init,
            Lookup = (nint)(delegate* unmanaged<nint, ulong, byte*, void>)&Lookup,
            Forget = (nint)(delegate* unmanaged<nint, ulong, ulong, void>)&Forget,
            GetAttr = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&GetAttributes,
            SetAttr = (nint)(delegate* unmanaged<nint, ulong, byte*, int, FuseFileInfo*, void>)&SetAttributes,
            ReadLink = (nint)(delegate* unmanaged<nint, ulong, void>)&ReadLink,
            MkNod = refuse,
            MkDir = refuse,
            Unlink = refuse,
            RmDir = refuse,
            SymLink = refuse,
            Rename = refuse,
            Link = refuse,
            Open = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Open,
            Read = (nint)(delegate* unmanaged<nint, ulong, nuint, long, FuseFileInfo*, void>)&Read,
            Write = (nint)(delegate* unmanaged<nint, ulong, byte*, nuint, long, FuseFileInfo*, void>)&Write,
            Release = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Release,
            OpenDir = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&OpenFolder,
            ReadDir = (nint)(delegate* unmanaged<nint, ulong, nuint, long, FuseFileInfo*, void>)&ReadFolder,
            ReleaseDir = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Release,
            Create = refuse,
        };
    }

    internal static Errno Try<T>(T state, Action<T> action)
    {
        try
        {
            action(state);
            return Errno.None;
        }
        catch (LinuxException e)
        {
            return e.Errno;
        }
#pragma warning disable CA1031 // The tree is somebody else's code, and libfuse's frames stand between it and any other handler.
        catch (Exception)
#pragma warning restore CA1031
        {
            return Errno.EIO;
        }
    }

    private static FuseAnswers Of(nint request) => FuseAnswers.Of(LibFuse.UserData(request));

    // Sound, here and below: a request lives until it is answered, which each operation does once; what libfuse points at
    // lives until the operation returns.
    private static void Answer<T>(nint request, T state, Action<FuseAnswers, T> action)
    {
        Errno error = Try((Answers: Of(request), State: state, Action: action), static s => s.Action(s.Answers, s.State));
        if (error != Errno.None)
        {
            _ = LibFuse.ReplyError(request, (int)error);
        }
    }

    [UnmanagedCallersOnly]
    private static void Init(nint userData, FuseConnection* connection) => connection->MaxWrite = FuseAnswers.MaxMessage;

    [UnmanagedCallersOnly]
    private static void Refuse(nint request) => _ = LibFuse.ReplyError(request, (int)Errno.EPERM);

    [UnmanagedCallersOnly]
    private static void Lookup(nint request, ulong parent, byte* name) =>
        Answer(request, (request, parent, Name: (nint)name), static (a, s) => a.Lookup(s.request, s.parent, Marshal.PtrToStringUTF8(s.Name)!));

    [UnmanagedCallersOnly]
    private static void Forget(nint request, ulong inode, ulong lookups)
    {
        _ = Try((Answers: Of(request), inode, lookups), static s => s.Answers.Forget(s.inode, s.lookups));
        LibFuse.ReplyNone(request);
    }

    [UnmanagedCallersOnly]
    private static void GetAttributes(nint request, ulong inode, FuseFileInfo* info) =>
        Answer(request, (request, inode), static (a, s) => a.Attributes(s.request, s.inode));

    // What O_TRUNC, chmod and touch ask for is taken and changes nothing, as a length of 0 does in sysfs.
    [UnmanagedCallersOnly]
    private static void SetAttributes(nint request, ulong inode, byte* stat, int toSet, FuseFileInfo* info) =>
        Answer(request, (request, inode), static (a, s) => a.Attributes(s.request, s.inode));

    [UnmanagedCallersOnly]
    private static void ReadLink(nint request, ulong inode) =>
        Answer(request, (request, inode), static (a, s) => a.ReadLink(s.request, s.inode));

    [UnmanagedCallersOnly]
    private static void Open(nint request, ulong inode, FuseFileInfo* info) =>
        Answer(request, (request, inode, Info: (nint)info), static (a, s) => a.Open(s.request, s.inode, (FuseFileInfo*)s.Info));

    [UnmanagedCallersOnly]
    private static void Read(nint request, ulong inode, nuint size, long offset, FuseFileInfo* info) =>
        Answer(request, (request, size, offset, handle: info->Handle), static (a, s) => a.Read(s.request, s.handle, s.size, s.offset));

    [UnmanagedCallersOnly]
    private static void Write(nint request, ulong inode, byte* bytes, nuint size, long offset, FuseFileInfo* info) =>
        Answer(request, (request, Bytes: (nint)bytes, size, handle: info->Handle), static (a, s) =>
            a.Write(s.request, s.handle, new ReadOnlySpan<byte>((byte*)s.Bytes, (int)Math.Min(s.size, FuseAnswers.MaxMessage))));

    [UnmanagedCallersOnly]
    private static void OpenFolder(nint request, ulong inode, FuseFileInfo* info) =>
        Answer(request, (request, inode, Info: (nint)info), static (a, s) => a.OpenFolder(s.request, s.inode, (FuseFileInfo*)s.Info));

    [UnmanagedCallersOnly]
    private static void ReadFolder(nint request, ulong inode, nuint size, long offset, FuseFileInfo* info) =>
        Answer(request, (request, size, offset, handle: info->Handle), static (a, s) => a.ReadFolder(s.request, s.handle, s.size, s.offset));

    [UnmanagedCallersOnly]
    private static void Release(nint request, ulong inode, FuseFileInfo* info) =>
        Answer(request, (request, handle: info->Handle), static (a, s) => a.Release(s.request, s.handle));
}
