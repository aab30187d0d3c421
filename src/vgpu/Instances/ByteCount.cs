using System.Globalization;

namespace Vgpu.Cli;

/// <summary>Numbers of bytes as people write them: <c>256M</c>, <c>1.5G</c>; powers of 1024.</summary>
internal static class ByteCount
{
    private const string Units = "KMGT";

    internal static string ToText(ulong bytes)
    {
        int unit = -1;
        double value = bytes;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string number = Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);
        return unit < 0 ? number : number + Units[unit];
    }

    /// <summary>The bytes in such a text as a plain number; the text itself where it is none of these.</summary>
    internal static string ToPlain(string text)
    {
        int unit = text.Length > 1 ? Units.IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) : -1;
        return unit >= 0 && ulong.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number <= ulong.MaxValue >> (10 * (unit + 1))
            ? (number << (10 * (unit + 1))).ToString(CultureInfo.InvariantCulture)
            : text;
    }
}
