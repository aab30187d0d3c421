using System.Globalization;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Bus;

/// <summary>
/// <c>sys/devices/virtual/vgpu/PARENT/UUID</c>, for as long as the instance is not stopped, and the links to it. What has
/// no value is an empty line.
/// </summary>
internal sealed class DeviceFolders(TreeStore store)
{
    // From the device's folder.
    private const string Bus = "../../../../../bus/mdev";

    internal FuseFolder Of(Guid uuid)
    {
        var fixedEntries = new Dictionary<string, FuseNode>(StringComparer.Ordinal)
        {
            ["subsystem"] = new FuseLink(Bus),
            ["driver"] = new FuseLink(Bus + "/drivers/vfio_vgpu"),
            ["remove"] = new FuseFile(null, text => store.Remove(uuid, text)),
            ["uuid"] = Attribute(uuid, _ => TreeStore.NameOf(uuid)),
            ["state"] = Attribute(uuid, device => StateOf(device.State)),
            ["problem"] = Attribute(uuid, device => device.Problem ?? string.Empty),
            ["client"] = Attribute(uuid, device => Number(device.Worker?.ClientPid)),
            ["socket"] = Attribute(uuid, device => device.Paths?.Socket ?? string.Empty),
            ["screen"] = Attribute(uuid, device => device.Paths?.Screen ?? string.Empty),
            ["memory_used"] = Attribute(uuid, device => Number(device.Worker?.MemoryUsed ?? 0)),
            ["modes"] = new FuseFile(() => string.Join('\n', (store.Require(uuid).Worker?.Modes ?? []).Select(Mode)), null),
            ["memory_limit"] = Setting(uuid, "memory_limit", device => Number(device.MemoryLimit)),
            ["mode"] = Setting(uuid, "mode", device => Value(device, "mode") ?? string.Empty),
            ["heads"] = Setting(uuid, "heads", device => Value(device, "heads") ?? Number(store.TypeOf(device.Definition)?.Heads)),
            ["interrupts"] = Setting(uuid, "interrupts", device => Value(device, "interrupts") ?? string.Empty),
            ["guest_blobs"] = Setting(uuid, "guest_blobs", device => Value(device, "guest_blobs") ?? string.Empty),
            ["qmp"] = Setting(uuid, "qmp", device => Value(device, "qmp") ?? string.Empty),
            ["policy"] = Setting(uuid, "policy", device => Value(device, "policy") ?? string.Empty),
            ["weight"] = Setting(uuid, "weight", device => Value(device, "weight") ?? string.Empty),
            ["fps_limit"] = Setting(uuid, "fps_limit", device => Value(device, "fps_limit") ?? string.Empty),
            ["name"] = Setting(uuid, "name", device => device.Definition.Name),
            ["owner"] = Setting(uuid, "owner", device => device.Definition.Owner is { } owner ? $"{owner.Uid}:{owner.Gid}" : string.Empty),
        };

        FuseNode Type() => new FuseLink("../mdev_supported_types/" + store.Require(uuid).Definition.Type);

        return new FuseFolder(
            () => store.Device(uuid) is null ? [] : fixedEntries.Append(KeyValuePair.Create("mdev_type", Type())),
            name => store.Device(uuid) is null ? null : name == "mdev_type" ? Type() : fixedEntries.GetValueOrDefault(name));
    }

    /// <summary><c>sys/bus/mdev/devices</c> and its like; <paramref name="root"/> leads from there to the parents.</summary>
    internal FuseFolder Links(string root) => Links(_ => true, device => $"{root}/{device.Parent}/{TreeStore.NameOf(device.Uuid)}");

    /// <summary><c>mdev_supported_types/TYPE/devices</c>.</summary>
    internal FuseFolder LinksOfType(string parent, string type) =>
        Links(device => device.Parent == parent && device.Type == type, device => $"../../../{TreeStore.NameOf(device.Uuid)}");

    private FuseFolder Links(Func<InstanceDefinition, bool> isHere, Func<InstanceDefinition, string> target) => new(
        () => store.Devices().Select(device => device.Definition).Where(isHere)
            .Select(device => KeyValuePair.Create<string, FuseNode>(TreeStore.NameOf(device.Uuid), new FuseLink(target(device)))),
        name => TreeStore.TryParseName(name, out Guid uuid) && store.Device(uuid)?.Definition is { } device && isHere(device)
            ? new FuseLink(target(device))
            : null);

    private FuseFile Attribute(Guid uuid, Func<InstanceView, string> read) => new(() => TreeStore.Flat(read(store.Require(uuid))), null);

    private FuseFile Setting(Guid uuid, string name, Func<InstanceView, string> read) =>
        new(() => TreeStore.Flat(read(store.Require(uuid))), text => store.Set(uuid, name, text, read));

    private static string? Value(InstanceView device, string setting) => device.Definition.Settings.GetValueOrDefault(setting);

    private static string Number<T>(T? value)
        where T : struct, IFormattable => value?.ToString(null, CultureInfo.InvariantCulture) ?? string.Empty;

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Mode(DisplayMode? mode) => mode is { } shown ? $"{shown.Width}x{shown.Height}" : "off";

    private static string StateOf(InstanceState state) => state switch
    {
        InstanceState.Starting => "starting",
        InstanceState.Running => "running",
        InstanceState.Failed => "failed",
        _ => "stopped",
    };
}
