using System.Text;

namespace Vgpu.Linux;

// What a foreign library says, as lines for a log of ours: a stranger can make it say a line at every step, so a few a minute are
// kept, cut and without control characters. Any thread.
internal sealed class LibraryLines
{
    internal const int MostLines = 10;
    internal const int MostCharacters = 300;

    // What comes after the last of them.
    internal const string LeftOut = "(more is left out for a minute)";

    private const long Minute = 60_000;

    private readonly Lock _lock = new();
    private long _since = long.MinValue;
    private int _lines;

    /// <summary>The message as it may be logged; null: not now. Milliseconds of any clock.</summary>
    internal string? Take(ReadOnlySpan<byte> message, long now, out bool isLast)
    {
        int left;
        lock (_lock)
        {
            if (_since == long.MinValue || now - _since >= Minute)
            {
                (_since, _lines) = (now, 0);
            }

            left = MostLines - ++_lines;
        }

        isLast = left == 0;
        return left >= 0 ? Clean(message) : null;
    }

    internal static string Clean(ReadOnlySpan<byte> message)
    {
        var text = new StringBuilder(Encoding.UTF8.GetString(message[..Math.Min(message.Length, MostCharacters)]));
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = char.IsControl(text[i]) ? ' ' : text[i];
        }

        return text.ToString();
    }
}
