using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Vgpu.Linux.Interop;

// struct fuse_args (fuse_opt.h).
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FuseArgs
{
    internal int Count;
    internal byte** Values;
    internal int Allocated;
}

// struct libfuse_version (fuse_common.h), from 3.17 on.
[StructLayout(LayoutKind.Sequential)]
internal struct FuseVersion
{
    internal uint Major;
    internal uint Minor;
    internal uint Hotfix;
    internal uint Padding;
}

// struct fuse_buf (fuse_common.h), with room for what newer libraries have added.
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct FuseBuffer
{
    [FieldOffset(0)] internal nuint Size;
    [FieldOffset(16)] internal byte* Memory;
}

// struct fuse_conn_info (fuse_common.h), as far as it is used.
[StructLayout(LayoutKind.Explicit)]
internal struct FuseConnection
{
    [FieldOffset(8)] internal uint MaxWrite;
}

// struct fuse_file_info (fuse_common.h), as far as it is used.
[StructLayout(LayoutKind.Explicit)]
internal struct FuseFileInfo
{
    internal const uint DirectIo = 2;

    [FieldOffset(0)] internal int Flags;
    [FieldOffset(4)] internal uint Bits;
    [FieldOffset(16)] internal ulong Handle;
}

// struct fuse_lowlevel_ops (fuse_lowlevel.h) up to the last that is used; libfuse is told its size.
[StructLayout(LayoutKind.Sequential)]
internal struct FuseOperationTable
{
    internal nint Init;
    internal nint Destroy;
    internal nint Lookup;
    internal nint Forget;
    internal nint GetAttr;
    internal nint SetAttr;
    internal nint ReadLink;
    internal nint MkNod;
    internal nint MkDir;
    internal nint Unlink;
    internal nint RmDir;
    internal nint SymLink;
    internal nint Rename;
    internal nint Link;
    internal nint Open;
    internal nint Read;
    internal nint Write;
    internal nint Flush;
    internal nint Release;
    internal nint FSync;
    internal nint OpenDir;
    internal nint ReadDir;
    internal nint ReleaseDir;
    internal nint FSyncDir;
    internal nint StatFs;
    internal nint SetXAttr;
    internal nint GetXAttr;
    internal nint ListXAttr;
    internal nint RemoveXAttr;
    internal nint Access;
    internal nint Create;
}

// struct stat and struct fuse_entry_param as bytes: the one differs between machines (asm/stat.h), the other holds it.
internal static class FuseStat
{
    private const int InodeAt = 8;
    private const int SizeAt = 48;
    private const int AccessTimeAt = 72;
    private const int ModifyTimeAt = 88;
    private const int ChangeTimeAt = 104;

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    internal static int Size => IsX64 ? 144 : 128;

    internal static int EntrySize => 16 + Size + 16;

    internal static void Write(Span<byte> stat, ulong inode, uint mode, uint links, uint user, uint group, long size, long time)
    {
        stat.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(stat[InodeAt..], inode);
        BinaryPrimitives.WriteInt64LittleEndian(stat[SizeAt..], size);
        BinaryPrimitives.WriteInt64LittleEndian(stat[AccessTimeAt..], time);
        BinaryPrimitives.WriteInt64LittleEndian(stat[ModifyTimeAt..], time);
        BinaryPrimitives.WriteInt64LittleEndian(stat[ChangeTimeAt..], time);
        if (IsX64)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(stat[16..], links);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[24..], mode);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[28..], user);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[32..], group);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(stat[16..], mode);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[20..], links);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[24..], user);
            BinaryPrimitives.WriteUInt32LittleEndian(stat[28..], group);
        }
    }

    // Both timeouts stay zero: the kernel asks each time.
    internal static void WriteEntry(Span<byte> entry, ulong inode, ReadOnlySpan<byte> stat)
    {
        entry.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(entry, inode);
        stat.CopyTo(entry[16..]);
    }
}
