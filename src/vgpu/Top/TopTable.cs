using System.Globalization;

namespace Vgpu.Cli;

/// <summary>Rows for a reader: names at the left, numbers at the right of their columns, cut to what fits.</summary>
internal static class TopTable
{
    // What there is of a name at least, however narrow the terminal.
    private const int ShortestName = 8;
    private const string Gap = "  ";

    private static readonly string[] s_heads = ["NAME", "STATE", "CPU%", "GPU%", "WAIT%", "MEMORY", "FPS", "VIEWED/s", "REQ/s"];

    // Less than that a column is never wide, so that it stays where it is while its numbers change.
    private static readonly int[] s_least = [ShortestName, 7, 5, 5, 5, 10, 5, 8, 5];

    /// <summary>
    /// A line that says when and how much in all, the heads, and a line for each row; no line longer than
    /// <paramref name="width"/>, and no more lines than <paramref name="height"/>, the last of which says how many are left out.
    /// </summary>
    internal static IReadOnlyList<string> Lines(IReadOnlyList<TopRow> rows, DateTime time, int width, int height)
    {
        List<string[]> cells = [s_heads, .. rows.Select(Cells)];
        int[] widths = [.. s_heads.Select((_, column) => Math.Max(s_least[column], cells.Max(row => row[column].Length)))];
        long others = widths.Skip(1).Sum(column => column + Gap.Length);
        widths[0] = (int)Math.Clamp(width - others, ShortestName, widths[0]);

        List<string> lines = [Summary(rows, time), .. cells.Select(row => Line(row, widths))];
        if (lines.Count > height)
        {
            int shown = Math.Max(2, height - 1);
            int left = lines.Count - shown;
            lines.RemoveRange(shown, left);
            lines.Add($"... and {left.ToString(CultureInfo.InvariantCulture)} more");
        }

        return [.. lines.Select(line => line.Length > width ? line[..width] : line)];
    }

    private static string Summary(IReadOnlyList<TopRow> rows, DateTime time)
    {
        int running = rows.Count(row => row.State == "running");
        ulong used = rows.Aggregate(0UL, (sum, row) => sum + row.MemoryUsed);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{time:HH:mm:ss}  {rows.Count} vGPU{(rows.Count == 1 ? string.Empty : "s")}, {running} running, CPU {rows.Sum(row => row.CpuPercent ?? 0):0.0}%, memory {ByteCount.ToText(used)}");
    }

    private static string[] Cells(TopRow row) =>
    [
        Table.Plain(row.Name),
        row.State,
        Number(row.CpuPercent),
        Number(row.GpuPercent),
        Number(row.ThrottledPercent),
        row.State == "running" ? $"{ByteCount.ToText(row.MemoryUsed)}/{ByteCount.ToText(row.MemoryLimit)}" : ByteCount.ToText(row.MemoryLimit),
        Number(row.FramesPerSecond),
        row.ViewedBytesPerSecond is { } bytes ? ByteCount.ToText((ulong)bytes) : "-",
        row.RequestsPerSecond is { } requests ? requests.ToString("0", CultureInfo.InvariantCulture) : "-",
    ];

    private static string Number(double? value) => value?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-";

    // A name that is too long says so by its last character.
    private static string Line(string[] cells, int[] widths) => string.Join(Gap, cells.Select((cell, column) => column switch
    {
        0 => cell.Length > widths[0] ? $"{cell[..(widths[0] - 1)]}+" : cell.PadRight(widths[0]),
        1 => cell.PadRight(widths[1]),
        _ => cell.PadLeft(widths[column]),
    }));
}
