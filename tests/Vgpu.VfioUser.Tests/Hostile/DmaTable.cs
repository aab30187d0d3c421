using Vgpu.Linux;
using Vgpu.Testing;
using static Vgpu.VfioUser.Messages.VfioUserCommand;
using static Vgpu.VfioUser.Tests.Hostile.Requests;

namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>VFIO_USER_DMA_MAP and _UNMAP: ranges that are empty, wrap, overlap or split; files shorter than they claim.</summary>
internal static class DmaTable
{
    private const ulong Top = 0xffff_ffff_ffff_f000;
    private const ulong Size = OddDescriptors.MemorySize;

    // One map of four pages at 1 MiB.
    private static readonly Ask[] _mapped = [new(VFIO_USER_DMA_MAP, Map(1 << 20, 4 * Page), DescriptorKind.Memory)];

    private static readonly (string Name, ulong Address, ulong Size)[] _never =
    [
        ("no byte", 0, 0),
        ("no byte at the top", Top, 0),
        ("less than a page", 0, 100),
        ("not whole pages", 0, Page + 1),
        ("begins within a page", 100, Page),
        ("wraps by a page", Top, 2 * Page),
        ("2^64 - 1 bytes", 0, ulong.MaxValue),
        ("2^63 bytes from 2^63 + a page on", (1UL << 63) + Page, 1UL << 63),
    ];

    internal static IReadOnlyList<HostileCase> Cases { get; } =
    [
        .. _never.Select(r => HostileCase.Invalid(r.Name, VFIO_USER_DMA_MAP, Map(r.Address, r.Size))),
        .. _never.Select(r => HostileCase.Invalid($"{r.Name}, with a file", VFIO_USER_DMA_MAP, Map(r.Address, r.Size), DescriptorKind.Memory)),
        .. _never.Select(r => HostileCase.Invalid(r.Name, VFIO_USER_DMA_UNMAP, Unmap(r.Address, r.Size))),
        .. new uint[] { 0, 8, 31 }.Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DMA_MAP, Map(0, Page, argsz: argsz))),
        .. new uint[] { 0, 8, 23 }.Select(argsz => HostileCase.Invalid($"argsz {argsz}", VFIO_USER_DMA_UNMAP, Unmap(0, Page, argsz: argsz))),
        HostileCase.Accepted("argsz of 4 GiB", VFIO_USER_DMA_MAP, Map(0, Page, argsz: uint.MaxValue)),
        HostileCase.Accepted("a file to be mapped", VFIO_USER_DMA_MAP, Map(0, Page, flags: 3 | 4), DescriptorKind.Memory),
        HostileCase.Accepted("a file to be read and written", VFIO_USER_DMA_MAP, Map(0, Page, flags: 3 | 8), DescriptorKind.Memory),
        HostileCase.Invalid("a file to be mapped, read and written", VFIO_USER_DMA_MAP, Map(0, Page, flags: 3 | 4 | 8), DescriptorKind.Memory),
        HostileCase.Accepted("the last page of all", VFIO_USER_DMA_MAP, Map(Top, Page)),
        HostileCase.Accepted("all but one page, without a file", VFIO_USER_DMA_MAP, Map(Page, Top)),

        Shared("one page longer than its file", Map(0, Size + Page)),
        Shared("begins at the end of its file", Map(0, Page, offset: Size)),
        Shared("begins past the end of its file", Map(0, Page, offset: Size + Page)),
        Shared("ends past the end of its file", Map(0, 2 * Page, offset: Size - Page)),
        Shared("offset within a page", Map(0, Page, offset: 8)),
        Shared("offset 2^63", Map(0, Page, offset: 1UL << 63)),
        Shared("offset + size = 2^64", Map(0, Page, offset: Top)),
        Shared("offset + size wraps", Map(0, 2 * Page, offset: Top)),
        Shared("2^48 bytes", Map(0, 1UL << 48)),
        Shared("2^63 bytes", Map(0, 1UL << 63)),

        Mapped("the same again", Map(1 << 20, 4 * Page), DescriptorKind.Memory),
        Mapped("the same again without its file", Map(1 << 20, 4 * Page)),
        Mapped("over its beginning", Map((1 << 20) - Page, 2 * Page)),
        Mapped("over its end", Map((1 << 20) + (3 * Page), 2 * Page)),
        Mapped("within it", Map((1 << 20) + Page, Page)),
        Mapped("around it", Map(0, 1 << 30)),
        Mapped("around it up to 2^64", Map(Page, Top)),

        HostileCase.Refused("nothing is there", VFIO_USER_DMA_UNMAP, Unmap(0, Page), Errno.ENOENT),
        HostileCase.Refused("beside a map", VFIO_USER_DMA_UNMAP, Unmap((1 << 20) + (4 * Page), Page), Errno.ENOENT) with { Before = _mapped },
        HostileCase.Invalid("the first half of a map", VFIO_USER_DMA_UNMAP, Unmap(1 << 20, 2 * Page)) with { Before = _mapped },
        HostileCase.Invalid("the second half of a map", VFIO_USER_DMA_UNMAP, Unmap((1 << 20) + (2 * Page), 2 * Page)) with { Before = _mapped },
        HostileCase.Invalid("the middle of a map", VFIO_USER_DMA_UNMAP, Unmap((1 << 20) + Page, Page)) with { Before = _mapped },
        HostileCase.Accepted("far more than is mapped", VFIO_USER_DMA_UNMAP, Unmap(0, 1UL << 63)) with { Before = _mapped },
        HostileCase.Invalid("all, from an address", VFIO_USER_DMA_UNMAP, Unmap(Page, 0, flags: 2)),
        HostileCase.Invalid("all, of a size", VFIO_USER_DMA_UNMAP, Unmap(0, Page, flags: 2)),
        HostileCase.Invalid("all, of all sizes", VFIO_USER_DMA_UNMAP, Unmap(0, ulong.MaxValue, flags: 2)),
        HostileCase.Accepted("all of nothing", VFIO_USER_DMA_UNMAP, Unmap(0, 0, flags: 2)),
    ];

    private static HostileCase Shared(string name, byte[] payload) => HostileCase.Invalid(name, VFIO_USER_DMA_MAP, payload, DescriptorKind.Memory);

    private static HostileCase Mapped(string name, byte[] payload, params DescriptorKind[] descriptors) =>
        HostileCase.Refused(name, VFIO_USER_DMA_MAP, payload, Errno.EEXIST, descriptors) with { Before = _mapped };
}
