using FsCheck;
using FsCheck.Fluent;

namespace Vgpu.Vfio.Tests.Properties;

internal enum DirtyCall
{
    Start,
    StartAll,
    Stop,
    Write,
    Mark,
    Resolve,
    Pin,
    Unpin,
    Report,
}

/// <summary>One call that has to do with dirty tracking, in one of two windows of 64 pages; each looks at what it needs.</summary>
/// <param name="Call">Which.</param>
/// <param name="IsHigh">Whether it is in the window that ends at 2^64.</param>
/// <param name="Offset">Bytes from the beginning of the window.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Shift">The page size, tracked or reported, is 1 &lt;&lt; Shift.</param>
internal sealed record DirtyStep(DirtyCall Call, bool IsHigh, ulong Offset, ulong Length, int Shift)
{
    internal const ulong WindowPages = 64;
    internal const ulong Window = WindowPages * 4096;
    private const int MostBits = 512;

    internal ulong Iova => (IsHigh ? ulong.MaxValue - (Window - 1) : 0) + Offset;

    internal ulong PageSize => 1UL << Shift;

    internal static Gen<DirtyStep> Any { get; } =
        from call in Gen.Frequency(
            (4, Gen.Constant(DirtyCall.Start)),
            (1, Gen.Constant(DirtyCall.StartAll)),
            (1, Gen.Constant(DirtyCall.Stop)),
            (8, Gen.Constant(DirtyCall.Write)),
            (4, Gen.Constant(DirtyCall.Mark)),
            (2, Gen.Constant(DirtyCall.Resolve)),
            (2, Gen.Constant(DirtyCall.Pin)),
            (2, Gen.Constant(DirtyCall.Unpin)),
            (10, Gen.Constant(DirtyCall.Report)))
        from isHigh in Gen.Elements(false, false, true)
        from shift in call == DirtyCall.Report ? Gen.Elements(0, 8, 11, 12, 13, 14, 16, 21, 63) : Gen.Elements(11, 12, 12, 13, 14, 16, 20)
        from unit in Gen.Elements(1UL, 4096UL, call == DirtyCall.Start ? 1UL << shift : 4096)
        from offset in Gen.Choose(0, (int)Window - 1)
        from length in Gen.Frequency((1, Gen.Choose(0, 8)), (4, Gen.Choose(1, 16 * 4096)), (1, Gen.Choose(1, (int)Window)))
        select new DirtyStep(call, isHigh, (ulong)offset / unit * unit, Limit(call, shift, ((ulong)length + unit - 1) / unit * unit), shift);

    internal static IEnumerable<DirtyStep> Simpler(DirtyStep step) =>
    [
        .. Sequence.Smaller(step.Offset / 4096).Select(n => step with { Offset = n * 4096 }),
        .. Sequence.Smaller(step.Length, 1).Select(n => step with { Length = n }),
        .. Sequence.Smaller((ulong)step.Shift, 12).Select(n => step with { Shift = (int)n }),
    ];

    private static ulong Limit(DirtyCall call, int shift, ulong length) =>
        call == DirtyCall.Report && shift < 12 ? Math.Min(length, (ulong)MostBits << shift) : length;
}
