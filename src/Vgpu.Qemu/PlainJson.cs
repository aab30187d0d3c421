using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Vgpu.Qemu;

/// <summary>JSON of plain values, on one line: strings, booleans, whole numbers, lists and dictionaries.</summary>
public static class PlainJson
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Throws <see cref="ArgumentException"/> for any other value.</summary>
    public static string ToText(object value) => Encoding.UTF8.GetString(ToBytes(value));

    internal static byte[] ToBytes(object value)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_options))
        {
            Write(json, value);
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case string text:
                json.WriteStringValue(text);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int or long or ulong:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case IReadOnlyDictionary<string, object> members:
                json.WriteStartObject();
                foreach ((string name, object member) in members)
                {
                    json.WritePropertyName(name);
                    Write(json, member);
                }

                json.WriteEndObject();
                break;
            case IEnumerable<object> items:
                json.WriteStartArray();
                foreach (object item in items)
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"no JSON form for {value.GetType().Name}", nameof(value));
        }
    }
}
