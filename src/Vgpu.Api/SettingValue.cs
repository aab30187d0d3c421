using System.Text.Json;
using Vgpu.Bus;

namespace Vgpu.Api;

/// <summary>A setting's value in JSON: a text, or what stands for one.</summary>
public static class SettingValue
{
    /// <summary>The text; null for null. Throws <see cref="BusException"/> for a list or an object.</summary>
    public static string? Text(string key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => String(key, value),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Null => null,
        _ => throw Wrong(key),
    };

    // Half a surrogate pair is JSON and no text.
    private static string? String(string key, JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw Wrong(key);
        }
    }

    internal static BusException Wrong(string key) => new(BusError.Invalid, $"the setting '{key}' takes a text, a number or a boolean");
}
