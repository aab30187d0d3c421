using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// The record of one transfer (struct mmsghdr of recvmmsg(2) and sendmmsg(2)) in memory of the caller's choice. The kernel
/// stores there how many bytes went, within the call: where that memory is shared with another process, this one can be
/// killed at any moment and the other still knows the count. A view; owns nothing.
/// </summary>
public readonly unsafe struct CountedTransfer
{
    /// <summary>Bytes of the record, which begins at a multiple of 8.</summary>
    public const int Length = 64;

    /// <summary>A record in <see cref="Length"/> bytes that stay mapped while this is used.</summary>
    // Sound: struct mmsghdr takes 64 bytes on 64-bit machines, the padding included.
    public CountedTransfer(byte* memory) => Header = (Libc.MMsgHdr*)memory;

    /// <summary>Bytes that the last transfer moved; 0 once <see cref="Clear"/> was called.</summary>
    public uint Count => Volatile.Read(ref Header->Count);

    /// <summary>Descriptors that came with the bytes were thrown away.</summary>
    public bool IsTruncated => (Header->Message.Flags & Libc.MSG_CTRUNC) != 0;

    internal Libc.MMsgHdr* Header { get; }

    /// <summary>Before a transfer: nothing has moved.</summary>
    public void Clear() => Volatile.Write(ref Header->Count, 0);
}
