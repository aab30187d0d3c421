namespace Vgpu.Cli;

/// <summary>Columns for a reader, each as wide as its widest cell; no control character reaches the terminal.</summary>
internal static class Table
{
    internal static void Write(TextWriter writer, IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        string[][] all = [[.. heads], .. rows.Select(row => row.Select(cell => cell.Length == 0 ? "-" : Plain(cell)).ToArray())];
        int[] widths = [.. heads.Select((_, column) => all.Max(row => row[column].Length))];
        foreach (string[] row in all)
        {
            writer.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    /// <summary>A text as one line.</summary>
    internal static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
