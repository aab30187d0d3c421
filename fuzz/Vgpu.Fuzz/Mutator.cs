using System.Buffers.Binary;

namespace Vgpu.Fuzz;

/// <summary>Makes one input into another, by a few small changes.</summary>
internal sealed class Mutator(Random random)
{
    private const int Longest = 6000;

    private static readonly ulong[] _numbers =
    [
        0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 40, 63, 64, 127, 128, 255, 256, 1023, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000, 1 << 20,
        0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 1UL << 32, 1UL << 47, 1UL << 63, ulong.MaxValue - 4095, ulong.MaxValue,
    ];

    /// <summary>A changed copy; pieces may come from <paramref name="other"/>.</summary>
    internal byte[] Change(byte[] input, byte[] other)
    {
        var bytes = new List<byte>(input);
        for (int changes = 1 << random.Next(5); changes > 0; changes--)
        {
            Step(bytes, other);
        }

        return [.. bytes.Take(Longest)];
    }

    private void Step(List<byte> bytes, byte[] other)
    {
        int at = random.Next(bytes.Count + 1);
        int length = 1 + random.Next(random.Next(4) == 0 ? 64 : 8);
        int most = Math.Min(length, bytes.Count - at);
        switch (random.Next(11))
        {
            case 0 when most > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when most > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2 when most > 0:
                bytes[at] += (byte)random.Next(-8, 9);
                break;
            case 3 or 4:
                Put(bytes, at, 1 << random.Next(4), _numbers[random.Next(_numbers.Length)] + (ulong)(random.Next(4) == 0 ? random.Next(-2, 3) : 0));
                break;
            case 5 when most > 0:
                bytes.RemoveRange(at, most);
                break;
            case 6 when most > 0:
                bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - most + 1), most));
                break;
            case 7:
                bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(random.Next(2) == 0 ? 4 : 256)));
                break;
            case 8 when other.Length > 0:
                int from = random.Next(other.Length);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + (random.Next(2) == 0 ? length : 400))]);
                break;
            case 9 when other.Length > 0:
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other[random.Next(other.Length)..]);
                break;
            case 10 when other.Length > 0 && most > 0:
                int start = random.Next(other.Length);
                for (int i = 0; i < most && start + i < other.Length; i++)
                {
                    bytes[at + i] = other[start + i];
                }

                break;
        }
    }

    private static void Put(List<byte> bytes, int at, int width, ulong number)
    {
        Span<byte> little = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(little, number);
        for (int i = 0; i < width && at + i < bytes.Count; i++)
        {
            bytes[at + i] = little[i];
        }
    }
}
