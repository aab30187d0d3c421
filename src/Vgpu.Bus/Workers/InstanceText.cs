using System.Globalization;

namespace Vgpu.Bus.Workers;

/// <summary>A definition as a worker is told of it: what it needs to serve the instance, and to tell another daemon of it.</summary>
internal static class InstanceText
{
    private const string SettingPrefix = "set.";

    internal static byte[] Format(InstanceDefinition definition) => TextFields.Format(
    [
        new("uuid", definition.Uuid.ToString("D")),
        new("name", definition.Name),
        new("parent", definition.Parent),
        new("type", definition.Type),
        .. definition.Settings.Select(setting => new KeyValuePair<string, string>(SettingPrefix + setting.Key, setting.Value)),
    ]);

    /// <summary>Throws <see cref="InvalidDataException"/>.</summary>
    internal static InstanceDefinition Parse(ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> fields = TextFields.Parse(bytes);
        return new InstanceDefinition
        {
            Uuid = Guid.TryParseExact(fields.Required("uuid"), "D", out Guid uuid) ? uuid : throw new InvalidDataException("no UUID"),
            Name = fields.Required("name"),
            Parent = fields.Required("parent"),
            Type = fields.Required("type"),
            Settings = new SortedDictionary<string, string>(
                fields.Where(field => field.Key.StartsWith(SettingPrefix, StringComparison.Ordinal))
                    .ToDictionary(field => field.Key[SettingPrefix.Length..], field => field.Value, StringComparer.Ordinal),
                StringComparer.Ordinal),
        };
    }
}

/// <summary>A status as it travels.</summary>
internal static class WorkerStatusText
{
    internal static byte[] Format(WorkerStatus status) => TextFields.Format(
    [
        new("client", Number(status.ClientPid ?? 0)),
        new("used", Number(status.MemoryUsed)),
        new("limit", Number(status.MemoryLimit)),
        new("requests", Number(status.Requests)),
        new("modes", string.Join(',', status.Modes.Select(mode => mode is { } shown ? string.Create(CultureInfo.InvariantCulture, $"{shown.Width}x{shown.Height}") : "-"))),
    ]);

    /// <summary>Throws <see cref="InvalidDataException"/>.</summary>
    internal static WorkerStatus Parse(ReadOnlySpan<byte> bytes, int pid, int successions)
    {
        Dictionary<string, string> fields = TextFields.Parse(bytes);
        ulong client = Parse(fields, "client");
        string modes = fields.Required("modes");
        return new WorkerStatus
        {
            Pid = pid,
            ClientPid = client == 0 ? null : (int)Math.Min(client, int.MaxValue),
            MemoryUsed = Parse(fields, "used"),
            MemoryLimit = Parse(fields, "limit"),
            Requests = (long)Math.Min(Parse(fields, "requests"), long.MaxValue),
            Modes = modes.Length == 0 ? [] : [.. modes.Split(',').Take(16).Select(ParseMode)],
            Successions = successions,
        };
    }

    private static Screens.DisplayMode? ParseMode(string text)
    {
        string[] sides = text.Split('x');
        return sides.Length == 2 && int.TryParse(sides[0], CultureInfo.InvariantCulture, out int width) && int.TryParse(sides[1], CultureInfo.InvariantCulture, out int height)
            ? new Screens.DisplayMode(width, height)
            : null;
    }

    private static string Number(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static ulong Parse(Dictionary<string, string> fields, string name) =>
        ulong.TryParse(fields.Required(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw new InvalidDataException($"{name} is no number");
}
