using System.Runtime.InteropServices;

namespace Vgpu.Viewers.Spice.Interop;

// QXLDrawable of qxl_dev.h, packed, with QXLCopy in its union.
[StructLayout(LayoutKind.Explicit, Size = 191, Pack = 1)]
internal struct QXLDrawable
{
    internal const byte QXL_EFFECT_OPAQUE = 1;
    internal const byte QXL_DRAW_COPY = 3;
    internal const ushort SPICE_ROPD_OP_PUT = 8;

    [FieldOffset(0)] internal ulong ReleaseId;
    [FieldOffset(8)] internal uint SurfaceId;
    [FieldOffset(12)] internal byte Effect;
    [FieldOffset(13)] internal byte Type;
    [FieldOffset(31)] internal QXLRect Box;
    [FieldOffset(63)] internal int SurfacesDest0;
    [FieldOffset(67)] internal int SurfacesDest1;
    [FieldOffset(71)] internal int SurfacesDest2;
    [FieldOffset(123)] internal ulong SourceBitmap;
    [FieldOffset(131)] internal QXLRect SourceArea;
    [FieldOffset(147)] internal ushort RopDescriptor;
}

// QXLImage of qxl_dev.h, packed, with QXLBitmap in its union.
[StructLayout(LayoutKind.Explicit, Size = 48, Pack = 1)]
internal struct QXLImage
{
    internal const byte SPICE_IMAGE_TYPE_BITMAP = 0;
    internal const byte SPICE_BITMAP_FMT_32BIT = 8;
    internal const byte QXL_BITMAP_DIRECT = 1 << 0;
    internal const byte QXL_BITMAP_TOP_DOWN = 1 << 2;

    [FieldOffset(0)] internal ulong Id;
    [FieldOffset(8)] internal byte Type;
    [FieldOffset(9)] internal byte Flags;
    [FieldOffset(10)] internal uint Width;
    [FieldOffset(14)] internal uint Height;
    [FieldOffset(18)] internal byte BitmapFormat;
    [FieldOffset(19)] internal byte BitmapFlags;
    [FieldOffset(20)] internal uint BitmapX;
    [FieldOffset(24)] internal uint BitmapY;
    [FieldOffset(28)] internal uint BitmapStride;
    [FieldOffset(32)] internal ulong BitmapPalette;
    [FieldOffset(40)] internal ulong BitmapData;
}

// QXLCursorCmd of qxl_dev.h, packed: "set" or "position" in its union.
[StructLayout(LayoutKind.Explicit, Size = 150, Pack = 1)]
internal struct QXLCursorCmd
{
    internal const byte QXL_CURSOR_SET = 0;
    internal const byte QXL_CURSOR_MOVE = 1;
    internal const byte QXL_CURSOR_HIDE = 2;

    [FieldOffset(0)] internal ulong ReleaseId;
    [FieldOffset(8)] internal byte Type;
    [FieldOffset(9)] internal short X;
    [FieldOffset(11)] internal short Y;
    [FieldOffset(13)] internal byte IsVisible;
    [FieldOffset(14)] internal ulong Shape;
}

// QXLCursor of qxl_dev.h, packed, with its one QXLDataChunk; the pixels follow.
[StructLayout(LayoutKind.Explicit, Size = 42, Pack = 1)]
internal struct QXLCursor
{
    internal const ushort SPICE_CURSOR_TYPE_ALPHA = 0;

    [FieldOffset(0)] internal ulong Unique;
    [FieldOffset(8)] internal ushort Type;
    [FieldOffset(10)] internal ushort Width;
    [FieldOffset(12)] internal ushort Height;
    [FieldOffset(14)] internal ushort HotSpotX;
    [FieldOffset(16)] internal ushort HotSpotY;
    [FieldOffset(18)] internal uint DataSize;
    [FieldOffset(22)] internal uint ChunkSize;
    [FieldOffset(26)] internal ulong PreviousChunk;
    [FieldOffset(34)] internal ulong NextChunk;
}
