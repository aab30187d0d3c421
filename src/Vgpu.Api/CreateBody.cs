using System.Text.Json;
using Vgpu.Bus;

namespace Vgpu.Api;

/// <summary>
/// <see cref="CreateRequest"/> as it is posted: what is left out is that one's own choice. Settable, as generated readers
/// give every member of an immutable record a value.
/// </summary>
public sealed class CreateBody
{
    public required string Parent { get; set; }

    public required string Type { get; set; }

    public Guid? Uuid { get; set; }

    public string? Name { get; set; }

    public bool? Auto { get; set; }

    public bool? Persistent { get; set; }

    public OwnerBody? Owner { get; set; }

    public IReadOnlyList<string>? After { get; set; }

    /// <summary>Texts, numbers or booleans.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Settings { get; set; }

    public bool? Start { get; set; }

    /// <summary>What the bus is asked for. Throws <see cref="BusException"/>.</summary>
    public CreateRequest ToRequest()
    {
        var request = new CreateRequest { Parent = Parent, Type = Type, Uuid = Uuid, Name = Name, Owner = Owner is null ? null : new InstanceOwner(Owner.Uid, Owner.Gid) };
        return request with
        {
            Auto = Auto ?? request.Auto,
            Persistent = Persistent ?? request.Persistent,
            After = After ?? request.After,
            Settings = Settings?.ToDictionary(setting => setting.Key, setting => SettingValue.Text(setting.Key, setting.Value) ?? throw SettingValue.Wrong(setting.Key), StringComparer.Ordinal)
                ?? request.Settings,
            Start = Start ?? request.Start,
        };
    }
}

/// <summary><see cref="InstanceOwner"/> as it is posted: both numbers must be said.</summary>
public sealed class OwnerBody
{
    public required uint Uid { get; set; }

    public required uint Gid { get; set; }
}
