// A definition as mdevctl writes it (mdevctl(8), 1.2 to 1.4: src/mdev.rs): {"mdev_type":..., "start":..., "attrs":[{name: value}...]}.
// mdevctl keeps attributes in their order and drops keys at the top that it does not know.
using System.Buffers;
using System.Text.Json;
using Vgpu.Bus.Settings;

namespace Vgpu.Bus.Disk;

/// <summary>A definition as a file says it: well formed, and not yet held against what a type can have.</summary>
internal sealed record StoredDefinition
{
    internal required string Type { get; init; }

    internal bool Auto { get; init; }

    /// <summary>Null: mdevctl's, which knows no names.</summary>
    internal string? Name { get; init; }

    internal InstanceOwner? Owner { get; init; }

    internal IReadOnlyList<string> After { get; init; } = [];

    internal IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Above <see cref="DefinitionJson.Version"/>: only <see cref="Type"/> is known of it.</summary>
    internal int Version { get; init; } = DefinitionJson.Version;

    /// <summary>Only in the files of running instances, which are in no parent's folder.</summary>
    internal string? Parent { get; init; }
}

/// <summary>Writes definitions and reads them; what it reads is anyone's.</summary>
internal static class DefinitionJson
{
    internal const int Version = 1;
    internal const int MaxLength = 64 << 10;
    private const int MaxAttributes = 64;
    private const int MaxValue = 4096;
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    internal static byte[] Write(InstanceDefinition definition, bool withParent = false)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("vgpu_version", Version);
            json.WriteString("mdev_type", definition.Type);
            json.WriteString("start", definition.Auto ? "auto" : "manual");
            if (withParent)
            {
                json.WriteString("parent", definition.Parent);
            }

            json.WriteStartArray("attrs");
            foreach ((string name, string value) in Attributes(definition))
            {
                json.WriteStartObject();
                json.WriteString(name, value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    /// <summary>Throws <see cref="FormatException"/> with one line where it is no definition, <see cref="JsonException"/> where it is no JSON.</summary>
    internal static StoredDefinition Read(ReadOnlyMemory<byte> content)
    {
        using JsonDocument document = JsonDocument.Parse(content, s_strict);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("it is no JSON object");
        }

        string type = String(root, "mdev_type") ?? throw new FormatException("it has no mdev_type");
        int version = VersionOf(root);
        if (version > Version)
        {
            return new StoredDefinition { Type = type, Version = version };
        }

        string start = String(root, "start") ?? throw new FormatException("it has no start");
        if (start is not ("auto" or "manual"))
        {
            throw new FormatException($"its start is '{OneLine.Of(start, 64)}', neither auto nor manual");
        }

        return WithAttributes(root, new StoredDefinition { Type = type, Auto = start == "auto", Parent = String(root, "parent") });
    }

    // The name first: where these are written one by one to a running instance, the settings find it under its name.
    private static IEnumerable<(string Name, string Value)> Attributes(InstanceDefinition definition)
    {
        yield return ("name", definition.Name);
        if (definition.Owner is { } owner)
        {
            yield return ("owner", OwnerName.Format(owner));
        }

        if (definition.After.Count > 0)
        {
            yield return ("after", string.Join(',', definition.After));
        }

        foreach (Setting setting in Setting.All)
        {
            if (definition.Settings.TryGetValue(setting.Name, out string? value))
            {
                yield return (setting.Name, value);
            }
        }
    }

    private static StoredDefinition WithAttributes(JsonElement root, StoredDefinition definition)
    {
        if (!root.TryGetProperty("attrs", out JsonElement list) || list.ValueKind == JsonValueKind.Null)
        {
            return definition;
        }

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxAttributes)
        {
            throw new FormatException($"its attrs are no list of at most {MaxAttributes}");
        }

        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        List<string> after = [];
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || entry.GetPropertyCount() != 1)
            {
                throw new FormatException("an entry of its attrs is no object of one name and value");
            }

            JsonProperty attribute = entry.EnumerateObject().First();
            if (attribute.Value.ValueKind != JsonValueKind.String || attribute.Value.GetString()! is not { Length: <= MaxValue } value)
            {
                throw new FormatException($"its attribute '{OneLine.Of(attribute.Name, 64)}' is no string, or one of more than {MaxValue} letters");
            }

            switch (attribute.Name)
            {
                case "name":
                    definition = definition with { Name = value };
                    break;
                case "owner":
                    definition = definition with { Owner = OwnerName.Parse(value) };
                    break;
                case "after":
                    after.AddRange(value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
                    break;
                default:
                    settings[attribute.Name] = value;
                    break;
            }
        }

        return definition with { After = after, Settings = settings };
    }

    private static int VersionOf(JsonElement root)
    {
        if (!root.TryGetProperty("vgpu_version", out JsonElement element))
        {
            return Version;
        }

        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int version) && version >= 1
            ? version
            : throw new FormatException("its vgpu_version is no number from 1 on");
    }

    private static string? String(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out JsonElement element))
        {
            return null;
        }

        string? text = element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        return text is { Length: <= 256 } ? text : throw new FormatException($"its {name} is no string, or too long a one");
    }
}
