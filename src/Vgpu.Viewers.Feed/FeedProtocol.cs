using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Feed;

// The screen feed's protocol, version 1.1, over a Unix stream socket: the client asks, the server answers. Each message is
// a header and a payload of the length that it gives, little-endian, fixed layouts. HELLO comes first; an answer carries
// the request's id and type with FEED_REPLY set. A message that does not fit ends the connection; a request that can't be
// served is answered with an errno and no payload. Answers come in order, but for FRAME, which the server may keep until
// there is something new (FeedFrameRequest), while it answers others. Types from 16 on are kept for messages that the
// server sends unasked; a client skips types that it does not know.
internal static class FeedProtocol
{
    internal const uint Magic = 0x53504756; // "VGPS"
    internal const ushort MajorVersion = 1;
    internal const ushort MinorVersion = 1;
    internal const ushort FEED_REPLY = 0x8000;
    internal const ushort FEED_HELLO = 1;
    internal const ushort FEED_LIST_HEADS = 2;
    internal const ushort FEED_SNAPSHOT = 3;

    // Since 1.1.
    internal const ushort FEED_FRAME = 4;
    internal const ushort FEED_CURSOR = 5;
    internal const ushort FEED_INPUT = 6;
    internal const ushort FEED_RESIZE = 7;
    internal const ushort FEED_HURRY = 8;
    internal const uint FEED_SNAPSHOT_CURSOR = 1;
    internal const uint FEED_HEAD_CONNECTED = 1;
    internal const uint FEED_HEAD_CURSOR = 2;

    internal const uint FEED_FRAME_PICTURE = 1;
    internal const uint FEED_FRAME_SURFACE = 2;
    internal const uint FEED_FRAME_STATE = 4;
    internal const uint FEED_FRAME_CURSOR_IMAGE = 8;
    internal const uint FEED_FRAME_CURSOR_PLACE = 16;

    /// <summary>No request but FEED_INPUT has a longer payload.</summary>
    internal const int MaxRequest = 64;

    /// <summary>InputEvents of one FEED_INPUT, which is its payload: what happened at one moment.</summary>
    internal const int MaxEvents = 32;

    /// <summary>Bytes of an InputEvent.</summary>
    internal const int EventSize = 16;

    /// <summary>Bytes of a Vgpu.Screens.Rect.</summary>
    internal const int RectSize = 16;

    /// <summary>Rectangles of one FRAME's answer.</summary>
    internal const int MaxRects = 32;

    /// <summary>The longest that the server keeps a FRAME, in milliseconds.</summary>
    internal const int MaxFramePatience = 60_000;

    /// <summary>No answer has a longer payload: sixteen heads or a frame of 32 rectangles, and room for later fields.</summary>
    internal const int MaxReply = 4096;

    internal static ReadOnlySpan<byte> BytesOf<T>(in T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedHeader
{
    internal const int Size = 16;

    internal ushort Type;
    internal ushort Reserved;
    internal uint Id;
    internal uint Errno;
    internal uint Length;
}

// Request and answer. The server answers with its own version; another major version has ended the conversation.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedHello
{
    internal const int Size = 8;

    internal uint Magic;
    internal ushort Major;
    internal ushort Minor;
}

// FEED_LIST_HEADS answers with as many of these as there are heads.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedHead
{
    internal const int Size = 40;

    internal uint Index;
    internal uint Flags;
    internal uint PreferredWidth;
    internal uint PreferredHeight;
    internal uint RefreshHertz;
    internal uint Width;
    internal uint Height;

    // The longest sides that the head may have; 0 from a server of 1.0.
    internal ushort MaxWidth;
    internal ushort MaxHeight;
    internal ulong Generation;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedSnapshotRequest
{
    internal const int Size = 16;

    internal uint Head;
    internal uint Flags;

    // The ticket of the last SNAPSHOT or CURSOR on this connection, 0 before: who has not read that one gets no other.
    internal ulong Ticket;
}

// With it comes one descriptor: a memory file sealed against every change, which holds the picture.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedSnapshot
{
    internal const int Size = 48;

    internal uint Width;
    internal uint Height;
    internal uint Stride;

    // A Vgpu.Screens.PixelFormat number; today always B8G8R8X8.
    internal uint Format;
    internal ulong Offset;
    internal ulong Length;
    internal ulong Generation;
    internal ulong Ticket;
}
