using System.Text;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Names and values in lines of <c>name=value</c>: what definitions and statuses travel as. A worker reads them without
/// loading a serializer.
/// </summary>
internal static class TextFields
{
    internal static byte[] Format(IEnumerable<KeyValuePair<string, string>> fields)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in fields)
        {
            text.Append(name).Append('=').Append(value.ReplaceLineEndings(" ")).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Throws <see cref="InvalidDataException"/> for anything else.</summary>
    internal static Dictionary<string, string> Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !fields.TryAdd(line[..equals], line[(equals + 1)..]))
            {
                throw new InvalidDataException("a line is no field, or comes twice");
            }
        }

        return fields;
    }

    /// <summary>A value that must be there. Throws <see cref="InvalidDataException"/>.</summary>
    internal static string Required(this Dictionary<string, string> fields, string name) =>
        fields.GetValueOrDefault(name) ?? throw new InvalidDataException($"there is no {name}");
}
