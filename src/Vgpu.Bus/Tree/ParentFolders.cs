using System.Globalization;
using Vgpu.Linux;

namespace Vgpu.Bus;

/// <summary>
/// <c>sys/devices/virtual/vgpu/PARENT</c>: <c>mdev_supported_types/TYPE</c> in the kernel's names, and a folder a device.
/// A type's folder is its name, which is of the kernel's form <c>DRIVER-NAME</c> as it is.
/// </summary>
internal sealed class ParentFolders(TreeStore store, DeviceFolders devices)
{
    internal FuseFolder All() => new(
        () => store.Parents().Select(parent => KeyValuePair.Create<string, FuseNode>(parent.Name, Parent(parent.Name))),
        name => store.Parent(name) is null ? null : Parent(name));

    /// <summary><c>sys/class/mdev_bus</c>.</summary>
    internal FuseFolder Links() => new(
        () => store.Parents().Select(parent => KeyValuePair.Create<string, FuseNode>(parent.Name, Link(parent.Name))),
        name => store.Parent(name) is null ? null : Link(name));

    private static FuseLink Link(string parent) => new($"../../devices/virtual/vgpu/{parent}");

    private FuseFolder Parent(string parent)
    {
        var own = new Dictionary<string, FuseNode>(StringComparer.Ordinal)
        {
            ["mdev_supported_types"] = Types(parent),
            ["description"] = new FuseFile(() => TreeStore.Flat(Require(parent).Description), null),
            ["renderer"] = new FuseFile(() => TreeStore.Flat(Require(parent).Driver), null),
        };
        return new FuseFolder(
            () => own.Concat(store.Devices().Where(device => device.Definition.Parent == parent)
                .Select(device => KeyValuePair.Create<string, FuseNode>(TreeStore.NameOf(device.Definition.Uuid), devices.Of(device.Definition.Uuid)))),
            name => own.GetValueOrDefault(name)
                ?? (TreeStore.TryParseName(name, out Guid uuid) && store.Device(uuid)?.Definition.Parent == parent ? devices.Of(uuid) : null));
    }

    private FuseFolder Types(string parent) => new(
        () => Require(parent).Types.Select(type => KeyValuePair.Create<string, FuseNode>(type.Name, Type(parent, type.Name))),
        name => Require(parent).Types.Any(type => type.Name == name) ? Type(parent, name) : null);

    private FuseFolder Type(string parent, string name) => new(new Dictionary<string, FuseNode>(StringComparer.Ordinal)
    {
        ["create"] = new FuseFile(null, text => store.Create(parent, name, text)),
        ["name"] = Attribute(parent, name, type => type.Name),
        ["description"] = Attribute(parent, name, type => type.Description),
        ["device_api"] = Attribute(parent, name, type => type.DeviceApi),
        ["available_instances"] = Attribute(parent, name, type => Math.Max(type.AvailableInstances, 0).ToString(CultureInfo.InvariantCulture)),
        ["devices"] = devices.LinksOfType(parent, name),
    });

    private FuseFile Attribute(string parent, string name, Func<TypeView, string> read) => new(
        () => TreeStore.Flat(read(Require(parent).Types.FirstOrDefault(type => type.Name == name) ?? throw Gone())),
        null);

    private ParentView Require(string name) => store.Parent(name) ?? throw Gone();

    private static LinuxException Gone() => new("tree", Errno.ENOENT);
}
