// A guest's memory: a memory file that the device reaches through Type2 and the test through a mapping of its own.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Testing;

public sealed class FakeGuest : IDisposable
{
    /// <summary>Where the guest's memory begins, and where a second piece begins that is a neighbour for the guest only.</summary>
    public const ulong Base = 0x4000_0000;
    public const ulong PieceSize = 64 << 20;
    public const ulong SecondPiece = Base + PieceSize;

    private readonly FileDescriptor _first = MemFd.Create("guest", PieceSize);
    private readonly FileDescriptor _second = MemFd.Create("guest2", PieceSize);
    private readonly MemoryMapping _firstView;
    private readonly MemoryMapping _secondView;
    private ulong _next = Base;

    public FakeGuest()
    {
        _firstView = MemoryMapping.Share(_first, 0, PieceSize, MemoryProtection.ReadWrite);
        _secondView = MemoryMapping.Share(_second, 0, PieceSize, MemoryProtection.ReadWrite);
        MapFirst();
        const IommuProtection All = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
        Assert.Equal(Errno.None, Iommu.Map(SecondPiece, PieceSize, All, _second.Duplicate(), 0));
    }

    /// <summary>The file behind the first piece.</summary>
    public FileDescriptor File => _first;

    public Type2 Iommu { get; } = new(NullLogger.Instance);

    public void MapFirst() => Assert.Equal(
        Errno.None,
        Iommu.Map(Base, PieceSize, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, _first.Duplicate(), 0));

    public void UnmapFirst() => Assert.Equal(Errno.None, Iommu.Unmap(Base, PieceSize));

    public ulong Allocate(int length)
    {
        ulong at = _next;
        _next += ((ulong)length + 63) & ~63UL;
        Assert.True(_next <= SecondPiece);
        return at;
    }

    public Span<byte> At(ulong iova, int length) => iova < SecondPiece
        ? _firstView.Span.Slice((int)(iova - Base), length)
        : _secondView.Span.Slice((int)(iova - SecondPiece), length);

    public ushort Get16(ulong iova) => Volatile.Read(ref MemoryMarshal.AsRef<ushort>(At(iova, 2)));

    public void Set16(ulong iova, ushort value) => Volatile.Write(ref MemoryMarshal.AsRef<ushort>(At(iova, 2)), value);

    public uint Get32(ulong iova) => BinaryPrimitives.ReadUInt32LittleEndian(At(iova, 4));

    public void SetDescriptor(ulong table, int index, ulong address, uint length, ushort flags, ushort next)
    {
        Span<byte> at = At(table + (ulong)(16 * index), 16);
        BinaryPrimitives.WriteUInt64LittleEndian(at, address);
        BinaryPrimitives.WriteUInt32LittleEndian(at[8..], length);
        BinaryPrimitives.WriteUInt16LittleEndian(at[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(at[14..], next);
    }

    public void Dispose()
    {
        Iommu.Dispose();
        _firstView.Dispose();
        _secondView.Dispose();
        _first.Dispose();
        _second.Dispose();
    }
}
