using System.Globalization;

namespace Vgpu.Bus.Settings;

/// <summary>Bytes as an operator writes them: a whole number, with k, m, g or t after it for 1024 and its powers.</summary>
public static class ByteSize
{
    /// <summary>False where it is no such number, or one of more than 64 bits.</summary>
    public static bool TryParse(string text, out ulong bytes)
    {
        bytes = 0;
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) || number > ulong.MaxValue >> shift)
        {
            return false;
        }

        bytes = number << shift;
        return true;
    }
}
