using System.Globalization;
using Vgpu.Linux;

namespace Vgpu.Bus;

/// <summary>
/// <c>sys/class/vgpu/VENDOR</c>: each device by its name, and as <c>vgpu0</c>, <c>vgpu1</c> and so on, the lowest number
/// that was free when it was first looked for. A number stays with its device for as long as that is in the tree, and wins
/// over a device that was given such a name later.
/// </summary>
internal sealed class ClassFolders(TreeStore store)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<Guid, int>> _numbers = new(StringComparer.Ordinal);

    internal FuseFolder Vendors() => new(
        () => Names().Select(vendor => KeyValuePair.Create<string, FuseNode>(vendor, Vendor(vendor))),
        vendor => Names().Contains(vendor, StringComparer.Ordinal) ? Vendor(vendor) : null);

    private IEnumerable<string> Names() => store.Parents().SelectMany(parent => parent.Types).Select(type => type.Vendor).Distinct(StringComparer.Ordinal);

    private FuseFolder Vendor(string vendor) => new(() => Links(vendor), name => Links(vendor).GetValueOrDefault(name));

    private Dictionary<string, FuseNode> Links(string vendor)
    {
        HashSet<(string Parent, string Type)> types =
            [.. store.Parents().SelectMany(parent => parent.Types.Where(type => type.Vendor == vendor).Select(type => (parent.Name, type.Name)))];
        List<InstanceDefinition> devices =
            [.. store.Devices().Select(device => device.Definition).Where(device => types.Contains((device.Parent, device.Type)))];
        var links = new Dictionary<string, FuseNode>(StringComparer.Ordinal);
        devices.ForEach(device => links[device.Name] = Link(device));
        Dictionary<Guid, int> numbers = Number(vendor, devices, links);
        foreach (InstanceDefinition device in devices)
        {
            links[NameOf(numbers[device.Uuid])] = Link(device);
        }

        return links;
    }

    private Dictionary<Guid, int> Number(string vendor, List<InstanceDefinition> devices, Dictionary<string, FuseNode> names)
    {
        lock (_gate)
        {
            Dictionary<Guid, int> before = _numbers.GetValueOrDefault(vendor) ?? [];
            var now = devices.Where(device => before.ContainsKey(device.Uuid)).ToDictionary(device => device.Uuid, device => before[device.Uuid]);
            var used = now.Values.ToHashSet();
            int next = 0;
            foreach (InstanceDefinition device in devices.Where(device => !now.ContainsKey(device.Uuid)))
            {
                while (used.Contains(next) || names.ContainsKey(NameOf(next)))
                {
                    next++;
                }

                now.Add(device.Uuid, next++);
            }

            _numbers[vendor] = now;
            return now;
        }
    }

    private static string NameOf(int number) => "vgpu" + number.ToString(CultureInfo.InvariantCulture);

    private static FuseLink Link(InstanceDefinition device) =>
        new FuseLink($"../../../devices/virtual/vgpu/{device.Parent}/{TreeStore.NameOf(device.Uuid)}");
}
