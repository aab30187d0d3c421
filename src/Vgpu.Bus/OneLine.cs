namespace Vgpu.Bus;

/// <summary>Text of others in a message of ours: one line without control characters, cut where it is long.</summary>
internal static class OneLine
{
    internal static string Of(string text, int limit = 512)
    {
        string cut = text.Length <= limit ? text : string.Concat(text.AsSpan(0, limit), "...");
        return string.Create(cut.Length, cut, (line, from) =>
        {
            for (int at = 0; at < line.Length; at++)
            {
                line[at] = char.IsControl(from[at]) ? ' ' : from[at];
            }
        });
    }
}
