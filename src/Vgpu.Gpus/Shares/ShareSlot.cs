using System.Runtime.InteropServices;

namespace Vgpu.Gpus.Shares;

// One vGPU in the table. Times are nanoseconds of the machine's monotonic clock. The first line is the daemon's to write, all else
// its worker's; everybody reads, and believes no more than can do no harm.
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct ShareSlot
{
    internal const int Size = 256;

    // ShareTerms in a word; 0: nobody's slot.
    [FieldOffset(0)] internal long Terms;
    [FieldOffset(8)] internal Guid Owner;

    // When it asks again at the latest; 0: it wants nothing.
    [FieldOffset(64)] internal long WantsUntil;

    // Of a fixed share: before that it has had what is its own.
    [FieldOffset(72)] internal long EligibleAt;

    // What it has used over its weight: who has the least is next.
    [FieldOffset(80)] internal long VirtualTime;

    // Its virtual time when its last turn began.
    [FieldOffset(88)] internal long StartTag;

    // Until when it begins work in the turn that it has.
    [FieldOffset(96)] internal long SliceEnd;

    // When it last began or ended something.
    [FieldOffset(104)] internal long LastActive;

    // Odd while the next two are being changed.
    [FieldOffset(112)] internal long Sequence;

    // Since when it has work in flight that Busy does not hold; 0: none.
    [FieldOffset(120)] internal long InFlightSince;

    // For how long it had work in flight.
    [FieldOffset(128)] internal long Busy;

    // The same, less what others had of the GPU at the same time.
    [FieldOffset(136)] internal long Used;

    // For how long it wanted to run and might not.
    [FieldOffset(144)] internal long Throttled;

    // How long its jobs take on average: so far it may overshoot its slice.
    [FieldOffset(152)] internal long AverageJob;
}
