using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Fuzz.Targets;

/// <summary>Steps as a mirror takes them, as inputs of <see cref="FeedTarget"/>.</summary>
internal static class FeedSeeds
{
    private const byte Picture = (byte)FeedProtocol.FEED_FRAME_PICTURE;

    internal static IEnumerable<byte[]> All =>
    [
        [.. Ask(6, 0), .. Ask(4, 0, 1), .. Show, .. Ask(4, 0, 1), .. Ask(4, 0, 0)],
        [.. Show, .. Frame(0, Picture), .. Draw, .. Frame(0, Picture), .. Frame(0, Picture), .. Wait, .. Draw, .. Draw, .. Frame(0, Picture)],
        [.. Frame(0, 0), .. Frame(1, 0), .. Show, .. Frame(0, 0), .. Ask(2, 0), .. Frame(0, Picture), .. Frame(0, 0), .. Wait, .. Wait],
        [.. Show, .. Frame(0, Picture), .. Show2, .. Frame(0, Picture), .. Dark, .. Frame(0, Picture), .. Show, .. Frame(0, Picture), .. Wait],
        [.. Show, .. Cursor, .. Frame(0, Picture), .. Ask(3, 0), .. Move, .. Frame(0, Picture), .. Cursor, .. Ask(3, 0), .. Ask(3, 1)],
        [.. Ask(5, 0, 128, 2, 224, 1, 60), .. Frame(0, 0), .. Ask(5, 1, 0, 8, 0, 8, 75)],
        [.. Ask(7, 2, [.. Bytes(InputEvent.Key(30, true)), .. Bytes(InputEvent.Button(272, true))]), .. Ask(7, 1, Bytes(InputEvent.Touch(1, 2, true, 1, 1, 2, 2)))],
        [.. Ask(7, 1, Bytes(InputEvent.Pointer(1, 1, 1, 2, 2))), .. Ask(7, 1, Bytes(InputEvent.Scroll(1, -1)))],
        [3, 16, .. Message(FeedProtocol.FEED_LIST_HEADS, [])],
    ];

    private static byte[] Show => [0, 0, 30, 20, 4];

    private static byte[] Show2 => [0, 0, 12, 13, 0];

    private static byte[] Dark => [10, 0, 0, 0, 0];

    private static byte[] Draw => [2, 0, 5, 6, 0x37];

    private static byte[] Cursor => [6, 0, 3, 4, 5];

    private static byte[] Move => [8, 0, 9, 9, 0];

    private static byte[] Wait => [7];

    internal static byte[] Message(ushort type, ReadOnlySpan<byte> payload, uint id = 7) =>
        [.. FeedProtocol.BytesOf(new FeedHeader { Type = type, Id = id, Length = (uint)payload.Length }), .. payload];

    private static byte[] Frame(byte head, byte flags) => Ask(0, head, flags, 0, 1);

    private static byte[] Ask(byte kind, byte head, params byte[] rest) => [(byte)((kind << 2) | 1), head, .. rest];

    private static byte[] Bytes(InputEvent input) => FeedProtocol.BytesOf(input).ToArray();
}
