namespace Vgpu.Cli;

/// <summary>What comes first: the most, and what is not known last; equal ones by their names.</summary>
internal sealed class TopOrder
{
    private static readonly Dictionary<string, Func<TopRow, double?>> s_keys = new(StringComparer.Ordinal)
    {
        ["cpu"] = row => row.CpuPercent,
        ["gpu"] = row => row.GpuPercent,
        ["memory"] = row => row.MemoryUsed,
        ["fps"] = row => row.FramesPerSecond,
        ["viewed"] = row => row.ViewedBytesPerSecond,
        ["requests"] = row => row.RequestsPerSecond,
        ["name"] = _ => 0,
    };

    private readonly Func<TopRow, double?> _key;

    /// <summary>By one of <see cref="Keys"/>.</summary>
    internal TopOrder(string key) => _key = s_keys[key];

    internal static string[] Keys => [.. s_keys.Keys];

    internal IEnumerable<TopRow> Sort(IEnumerable<TopRow> rows) => rows.OrderByDescending(row => _key(row) ?? -1).ThenBy(row => row.Name, StringComparer.Ordinal);
}
