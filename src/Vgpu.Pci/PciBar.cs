// Base address registers: what stands behind a region. PCI Local Bus 3.0, 6.2.5.
using System.Numerics;
using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Pci;

/// <summary>Accesses to a trapped BAR. The offset and length lie within the BAR.</summary>
public interface IMmioHandler
{
    /// <summary>On the transport's thread, without the device's lock. Allocates nothing.</summary>
    void Read(ulong offset, Span<byte> data);

    /// <summary>On the transport's thread, without the device's lock. Allocates nothing.</summary>
    void Write(ulong offset, ReadOnlySpan<byte> data);
}

/// <summary>
/// One base address register. Either <see cref="Handler"/> (trapped) or <see cref="Memory"/> (a memory file that the
/// client maps; accesses that come by message all the same are served from the mapping).
/// </summary>
public sealed record PciBar
{
    /// <summary>0 to 5; a 64-bit one takes the next number too.</summary>
    public required int Index { get; init; }

    /// <summary>Bytes; a power of two, at least 16, and at least a page where memory.</summary>
    public required ulong Size { get; init; }

    /// <summary>Whether it may lie anywhere in 64 bits of address, and not below 4 GiB only.</summary>
    public bool Is64Bit { get; init; }

    /// <summary>Whether reading it has no side effects, so that bridges may read ahead.</summary>
    public bool IsPrefetchable { get; init; }

    /// <summary>What serves accesses, where the BAR is trapped.</summary>
    public IMmioHandler? Handler { get; init; }

    /// <summary>The memory file of at least <see cref="Size"/> bytes, where the BAR is memory; stays the caller's and open.</summary>
    public FileDescriptor? Memory { get; init; }

    internal VfioRegion Region => new()
    {
        Flags = VfioRegionFlags.VFIO_REGION_INFO_FLAG_READ | VfioRegionFlags.VFIO_REGION_INFO_FLAG_WRITE
            | (Memory is null ? VfioRegionFlags.None : VfioRegionFlags.VFIO_REGION_INFO_FLAG_MMAP),
        Size = Size,
        File = Memory,
    };

    internal void Check()
    {
        bool placed = Index >= 0 && Index + (Is64Bit ? 1 : 0) <= 5;
        bool sized = BitOperations.IsPow2(Size) && Size >= (Memory is null ? 16UL : 4096UL) && (Is64Bit || Size <= 1UL << 31);
        if (!placed || !sized || (Handler is null) == (Memory is null))
        {
            throw new ArgumentException($"BAR {Index} of {Size} bytes is not a base address register.");
        }
    }
}

/// <summary>A memory file as a handler: for accesses that come by message although the client may map the BAR.</summary>
internal sealed unsafe partial class MemoryBar(MemoryMapping mapping) : IMmioHandler, IDisposable
{
    public MemoryMapping Mapping => mapping;

    // Sound: PciFunction checks that the range lies within the BAR, and the mapping is as long as the BAR.
    public void Read(ulong offset, Span<byte> data) => new Span<byte>(mapping.Pointer + offset, data.Length).CopyTo(data);

    // Sound: as for Read; the mapping is read and write.
    public void Write(ulong offset, ReadOnlySpan<byte> data) => data.CopyTo(new Span<byte>(mapping.Pointer + offset, data.Length));

    public void Dispose() => mapping.Dispose();
}

/// <summary>An expansion ROM: the image, then ones up to its power of two. PCI Local Bus 3.0, 6.3.</summary>
internal sealed class RomBar(ReadOnlyMemory<byte> image) : IMmioHandler
{
    private const int SmallestRom = 2048;

    public uint Size { get; } = BitOperations.RoundUpToPowerOf2((uint)Math.Max(image.Length, SmallestRom));

    public void Read(ulong offset, Span<byte> data)
    {
        ReadOnlySpan<byte> rest = offset < (ulong)image.Length ? image.Span[(int)offset..] : default;
        rest = rest[..Math.Min(rest.Length, data.Length)];
        rest.CopyTo(data);
        data[rest.Length..].Fill(0xff);
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
    }
}
