// The quota of one vGPU's memory: what a guest makes the host hold, bookkeeping included.
namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Counts bytes against a limit. Used with the device's lock held.</summary>
internal sealed class VideoMemory(ulong limit)
{
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

    /// <summary>Bytes.</summary>
    internal ulong Limit { get; } = limit;

    /// <summary>Bytes charged now.</summary>
    internal ulong Used { get; private set; }

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
        if (bytes > Limit - (Used - old))
        {
            return false;
        }

        Used = Used - old + bytes;
        return true;
    }

    /// <summary>Gives back what <see cref="TryCharge"/> took.</summary>
    internal void Release(ulong bytes) => Used -= bytes;
}
