using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vfio.Tests.Iommu;

/// <summary>Transfers large enough to be streamed arrive byte for byte, whatever their alignment, and touch nothing beside them.</summary>
public sealed unsafe class StreamingCopyTests
{
    private const int GuestBytes = 8 << 20;

    [Theory]
    [InlineData(0, 4096, 0)]
    [InlineData(1, 4096, 3)]
    [InlineData(31, 5000, 17)]
    [InlineData(4095, 129, 1)]
    [InlineData(7, 31, 5)]
    public void Pieces_of_any_size_and_place_arrive_whole(int firstByte, int pieceLength, int destinationOffset)
    {
        using Guest guest = new();
        int pieces = (int)(StreamingCopy.Threshold / (ulong)pieceLength) + 9;
        var entries = new DmaEntry[pieces];
        List<byte> expected = [];
        for (int i = 0; i < pieces; i++)
        {
            // Every second piece of the first half of memory, backwards: no two are neighbours.
            int at = firstByte + ((pieces - 1 - i) * pieceLength * 2);
            entries[i] = new DmaEntry((ulong)at, (uint)pieceLength);
            expected.AddRange(guest.Bytes.Slice(at, pieceLength));
        }

        var list = new DmaScatterList(guest.Iommu, entries, IommuProtection.IOMMU_READ);
        byte[] destination = new byte[expected.Count + destinationOffset + 64];
        Array.Fill(destination, (byte)0xee);

        Assert.Equal(Errno.None, list.CopyTo(0, destination.AsSpan(destinationOffset, expected.Count)));

        Assert.True(destination.AsSpan(destinationOffset, expected.Count).SequenceEqual(expected.ToArray()));
        Assert.True(destination.AsSpan(0, destinationOffset).IndexOfAnyExcept((byte)0xee) < 0);
        Assert.True(destination.AsSpan(destinationOffset + expected.Count).IndexOfAnyExcept((byte)0xee) < 0);
    }

    [Fact]
    public void Rows_with_gaps_on_both_sides_arrive_and_leave_the_gaps_alone()
    {
        using Guest guest = new();
        const int Rows = 700;
        const int Row = 1777;
        const int GuestStride = 3001;
        const int Stride = 2003;
        var list = new DmaScatterList(guest.Iommu, [new DmaEntry(5, GuestStride * Rows)], IommuProtection.IOMMU_READ);
        byte[] destination = new byte[Stride * Rows];
        fixed (byte* to = destination)
        {
            Assert.Equal(Errno.None, list.CopyRowsTo(0, GuestStride, to, Stride, Row, Rows));
        }

        for (int row = 0; row < Rows; row++)
        {
            Assert.True(destination.AsSpan(row * Stride, Row).SequenceEqual(guest.Bytes.Slice(5 + (row * GuestStride), Row)));
            Assert.True(destination.AsSpan((row * Stride) + Row, Stride - Row).IndexOfAnyExcept((byte)0) < 0);
        }
    }

    private sealed class Guest : IDisposable
    {
        private readonly FileDescriptor _file = MemFd.Create("streaming-guest", GuestBytes);
        private readonly MemoryMapping _memory;

        internal Guest()
        {
            _memory = MemoryMapping.Share(_file, 0, GuestBytes, MemoryProtection.ReadWrite);
            new Random(1).NextBytes(_memory.Span);
            Assert.Equal(Errno.None, Iommu.Map(0, GuestBytes, IommuProtection.IOMMU_READ, _file.Duplicate(), 0));
        }

        internal Type2 Iommu { get; } = new(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance) { BusMaster = true };

        internal Span<byte> Bytes => _memory.Span;

        public void Dispose()
        {
            Iommu.Dispose();
            _memory.Dispose();
            _file.Dispose();
        }
    }
}
