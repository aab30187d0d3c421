using System.Runtime.InteropServices;

namespace Vgpu.Fuzz.Targets;

/// <summary>What a driver does when it shows a picture and moves a cursor, as inputs of <see cref="GpuTarget"/>.</summary>
internal static class GpuSeeds
{
    private const uint Format = 2;

    internal static IEnumerable<byte[]> All(ulong memory) =>
    [
        [.. Command(0x100), .. Command(0x10a, 0, 0)],
        [.. Picture(memory), .. Command(0x106, 1, 0), .. Command(0x102, 1, 0)],
        [.. Picture(memory), .. Command(0x103, 0, 0, 16, 16, 0, 0), .. Command(0x107, 1, 0)],
        [.. Blob(memory)],
        [.. Picture(memory), .. Cursor(0x300, 1), .. Cursor(0x301, 1), .. Cursor(0x300, 0)],
        [.. Picture(memory), .. Command(0x10b, 1, 0)],
        [.. Descriptors],
        [.. Registers],
        [6, 2, .. Command(0x100), 7, .. Command(0x100)],
    ];

    private static byte[] Picture(ulong memory) =>
    [
        4, 0, 0, 16, .. Enumerable.Range(0, 16).Select(i => (byte)i),
        .. Command(0x101, 1, Format, 16, 16),
        .. Command(0x106, 1, 2, (uint)memory, (uint)(memory >> 32), 512, 0, (uint)memory + 1024, (uint)(memory >> 32), 512, 0),
        .. Command(0x103, 0, 0, 16, 16, 0, 1),
        .. Command(0x105, 0, 0, 16, 16, 0, 0, 1, 0),
        .. Command(0x104, 0, 0, 16, 16, 1, 0),
    ];

    private static byte[] Blob(ulong memory) =>
    [
        .. Command(0x10c, 3, 1, 1, 1, 0, 0, 4096, 0, (uint)memory, (uint)(memory >> 32), 4096, 0),
        .. Command(0x10d, 0, 0, 16, 16, 0, 3, 16, 16, Format, 0, 64, 0, 0, 0, 0, 0, 0, 0),
        .. Command(0x104, 0, 0, 16, 16, 3, 0),
        .. Command(0x102, 3, 0),
    ];

    // A chain of one to read and one to write, and an indirect table.
    private static byte[] Descriptors =>
    [
        4, 0, 1, 4, 0, 1, 0, 0,
        3, 1, 1, 0, 1, 24, 0, 1, 2, 0, 2, 255, 1, 0, 0,
        3, 0, 4, 0, 2, 32, 0, 0, 0,
    ];

    private static byte[] Registers =>
    [
        .. Enumerable.Range(0, 64).SelectMany(i => new byte[] { 5 | (2 << 4), 0, (byte)(4 * (i % 16)), (byte)(i / 16 * 16), 0, 0, 0, 0 }),
        5 | 8 | (2 << 4), 0, 0x14, 0, 1, 0, 0, 0,
        5 | 8 | (1 << 4), 7, 4, 0, 6, 0, 0, 0,
    ];

    private static byte[] Cursor(uint type, uint resource) => Step(0x80, type, 0, 4, 5, 0, resource, 1, 2, 0);

    private static byte[] Command(uint type, params uint[] words) => Step(0, type, words);

    private static byte[] Step(byte kind, uint type, params uint[] words)
    {
        uint[] all = [type, 0, 0, 0, 0, 0, .. words];
        byte[] bytes = MemoryMarshal.AsBytes(all.AsSpan()).ToArray();
        return [kind, (byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];
    }
}
