namespace Vgpu.Cli;

/// <summary>Words quoted for a POSIX shell.</summary>
internal static class ShellWords
{
    internal static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    internal static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=,:+@%".Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
