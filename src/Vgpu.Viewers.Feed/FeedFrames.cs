// What a client that follows a head asks, and hears: since version 1.1 of the protocol.
using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Feed;

// One a head and connection may wait at the server, which answers it when there is something new, at the latest after
// PatienceMilliseconds or a FEED_HURRY. With FEED_FRAME_PICTURE anything new counts; without it the server looks at
// connection, modes and sizes alone, which costs it nothing.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedFrameRequest
{
    internal const int Size = 24;

    internal uint Head;

    // FEED_FRAME_PICTURE or 0.
    internal uint Flags;
    internal uint PatienceMilliseconds;
    internal uint Reserved;

    // That of the last answer for this head on this connection, 0 before: what that one told is not told again.
    internal ulong Serial;
}

// The answer; behind it RectCount Vgpu.Screens.Rect, the damage. Until its client asks for the next one the shadow holds
// at least these pixels. With FEED_FRAME_SURFACE all before is void, and where Width is not 0 one descriptor comes: the
// shadow, a memory file of Length bytes sealed against resizing and against writes but the server's, B8G8R8X8 from byte 0.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedFrame
{
    internal const int Size = 64;

    internal ulong Serial;

    // Which of the fields below are new (FEED_FRAME_), and FEED_FRAME_PICTURE as it was asked for.
    internal uint Flags;

    // FEED_HEAD_CONNECTED, FEED_HEAD_CURSOR: as it is now.
    internal uint HeadFlags;
    internal uint PreferredWidth;
    internal uint PreferredHeight;
    internal uint RefreshHertz;

    // Of the shadow; without FEED_FRAME_PICTURE of what the head shows. 0: nothing.
    internal uint Width;
    internal uint Height;
    internal uint Stride;
    internal ulong Length;
    internal int CursorX;
    internal int CursorY;
    internal uint RectCount;
    internal uint Reserved;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedCursorRequest
{
    internal const int Size = 16;

    internal uint Head;
    internal uint Reserved;

    // As a snapshot's.
    internal ulong Ticket;
}

// Where there is a cursor (Width is not 0), one descriptor comes with it: a memory file sealed against every change that
// holds premultiplied B8G8R8A8 without gaps.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedCursor
{
    internal const int Size = 40;

    internal uint Width;
    internal uint Height;
    internal int HotX;
    internal int HotY;
    internal int X;
    internal int Y;
    internal ulong Length;
    internal ulong Ticket;
}

// A viewer wants another mode; answered with the FeedMode that the head prefers now.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedResize
{
    internal const int Size = 16;

    internal uint Head;
    internal uint Width;
    internal uint Height;
    internal uint RefreshHertz;
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedMode
{
    internal const int Size = 12;

    internal uint Width;
    internal uint Height;
    internal uint RefreshHertz;
}

// A FRAME that waits for this head is answered now, whatever is new.
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FeedHurry
{
    internal const int Size = 8;

    internal uint Head;
    internal uint Reserved;
}
