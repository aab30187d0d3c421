using FsCheck;
using FsCheck.Fluent;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Properties;

internal enum DomainCall
{
    Map,
    MapWithoutFile,
    Unmap,
    UnmapAll,
    Resolve,
    TryGetRun,
    Read,
    Write,
    BusMaster,
}

/// <summary>One call into a domain. Pages are of 4 KiB; each call looks at the numbers that it needs.</summary>
internal sealed record DomainStep(DomainCall Call, ulong Page, ulong Pages, ulong FilePage, IommuProtection Protection, ulong Within, ulong Length)
{
    internal const ulong Pages64 = 1UL << 52;
    internal const ulong FilePages = 96;
    internal const int LongestAccess = 20_000;

    /// <summary>The first address of an access.</summary>
    internal ulong Iova => (Page * GuestMemoryPage) + Within;

    private const ulong GuestMemoryPage = 4096;

    // Low addresses, where maps meet, and the last ones, where sums wrap.
    internal static Gen<DomainStep> Any { get; } =
        from call in Gen.Frequency(
            (8, Gen.Constant(DomainCall.Map)),
            (2, Gen.Constant(DomainCall.MapWithoutFile)),
            (5, Gen.Constant(DomainCall.Unmap)),
            (1, Gen.Constant(DomainCall.UnmapAll)),
            (5, Gen.Constant(DomainCall.Resolve)),
            (4, Gen.Constant(DomainCall.TryGetRun)),
            (4, Gen.Constant(DomainCall.Read)),
            (4, Gen.Constant(DomainCall.Write)),
            (1, Gen.Constant(DomainCall.BusMaster)))
        from page in Gen.Frequency((4, Number(0, 48)), (1, Number(Pages64 - 12, Pages64 - 1)))
        from pages in Gen.Frequency((9, Number(1, 9)), (1, Gen.Elements(0UL, FilePages, FilePages + 1, Pages64 / 2, Pages64 - 1)))
        from filePage in Gen.Frequency((2, Gen.Constant(page % FilePages)), (1, Number(0, FilePages)))
        from protection in Gen.Frequency((6, Gen.Constant(RW)), (1, Gen.Constant(R)), (1, Gen.Constant(W)), (1, Gen.Constant(IommuProtection.None)))
        from within in Number(0, 4095)
        from length in Gen.Frequency((1, Number(0, 4)), (3, Number(1, 4096)), (3, Number(4097, LongestAccess)))
        select new DomainStep(call, page, pages, filePage, protection, within, length);

    internal static IEnumerable<DomainStep> Simpler(DomainStep step) =>
    [
        .. Sequence.Smaller(step.Page).Select(n => step with { Page = n }),
        .. Sequence.Smaller(step.Pages, 1).Select(n => step with { Pages = n }),
        .. Sequence.Smaller(step.FilePage).Select(n => step with { FilePage = n }),
        .. Sequence.Smaller(step.Within).Select(n => step with { Within = n }),
        .. Sequence.Smaller(step.Length, 1).Select(n => step with { Length = n }),
    ];

    private static Gen<ulong> Number(ulong first, ulong last) => Gen.Choose(0, (int)(last - first)).Select(n => first + (ulong)n);
}
