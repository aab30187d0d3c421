// The quota of one vGPU's memory: what a guest makes the host hold, bookkeeping included.
namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Counts bytes against a limit. Used with the device's lock held, but that any thread may read the numbers.</summary>
/// <param name="limit">Bytes.</param>
/// <param name="peak">Bytes that what a predecessor left may take, where that is more.</param>
internal sealed class VideoMemory(ulong limit, ulong peak = 0)
{
    private ulong _limit = limit;
    private ulong _used;

    /// <summary>Bytes that an object costs beside its pixels: table slot, map, surface.</summary>
    internal const ulong ObjectCost = 1024;

    /// <summary>Bytes that one entry of a backing list costs: the entry and its resolved runs, in lists that may be half empty.</summary>
    internal const ulong EntryCost = 144;

    /// <summary>
    /// Runs that a list may have for each entry, and a few for lists of few entries: an entry that crosses the client's
    /// maps has several. The cost above is for all of them, as another map may come at any time.
    /// </summary>
    private const int RunsPerEntry = 2;
    private const int MoreRuns = 8;

    private const ulong PageSize = 4096;

    /// <summary>Bytes. One below what is charged refuses charges until enough was given back.</summary>
    internal ulong Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Bytes that may be charged at most, be it by what a predecessor left.</summary>
    internal ulong Ceiling => Math.Max(Math.Max(Limit, Used), peak);

    /// <summary>Whether what is charged is what a guest had before its quota may have been lowered.</summary>
    internal bool IsRestoring { get; set; }

    /// <summary>Bytes charged now.</summary>
    internal ulong Used
    {
        get => Volatile.Read(ref _used);
        private set => Volatile.Write(ref _used, value);
    }

    /// <summary>What an object with this many bytes of pixels costs; saturates where it would overflow.</summary>
    internal static ulong CostOf(ulong pixelBytes) =>
        pixelBytes > ulong.MaxValue - PageSize - ObjectCost
            ? ulong.MaxValue
            : ((pixelBytes + PageSize - 1) & ~(PageSize - 1)) + ObjectCost;

    /// <summary>What a backing list of this many entries costs, which is at most <see cref="VirtioGpuConstants.MaxBackingEntries"/>.</summary>
    internal static ulong CostOfBacking(uint entries) => ObjectCost + (entries * EntryCost);

    /// <summary>The entries of a list that costs this.</summary>
    internal static uint EntriesOf(ulong backingCost) => (uint)((backingCost - ObjectCost) / EntryCost);

    /// <summary>Runs that a list of this many entries may have.</summary>
    internal static int MaxRunsOf(uint entries) => ((int)entries * RunsPerEntry) + MoreRuns;

    /// <summary>Takes the bytes; false where they do not fit.</summary>
    internal bool TryCharge(ulong bytes) => TryExchange(0, bytes);

    /// <summary>
    /// Gives back <paramref name="old"/>, which was charged, for <paramref name="bytes"/>; false, and nothing changes,
    /// where they do not fit.
    /// </summary>
    internal bool TryExchange(ulong old, ulong bytes)
    {
        ulong limit = IsRestoring ? Math.Max(Limit, peak) : Limit;
        ulong kept = Used - old;
        if (bytes > old && (kept > limit || bytes > limit - kept))
        {
            return false;
        }

        Used = kept + bytes;
        return true;
    }

    /// <summary>Gives back what <see cref="TryCharge"/> took.</summary>
    internal void Release(ulong bytes) => Used -= bytes;
}
