using Vgpu.Gpus;

namespace Vgpu.Cli;

/// <summary>The vendors that this program is built with.</summary>
public static class DeviceTypes
{
    // What the operator may say instead of a type's name.
    private static readonly Dictionary<string, string> s_aliases = new(StringComparer.Ordinal) { ["bochs"] = "bochs-display" };

    /// <summary>Every name that <see cref="Find"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. BuiltInVendors.All.SelectMany(vendor => vendor.Types).Select(type => type.Name), .. s_aliases.Keys];

    /// <summary>A type by name. Throws <see cref="OperatorException"/>, also for one that this host can't have.</summary>
    public static (IVgpuVendor Vendor, VgpuType Type) Find(string name)
    {
        string wanted = s_aliases.GetValueOrDefault(name, name);
        foreach (IVgpuVendor vendor in BuiltInVendors.All)
        {
            if (vendor.Types.FirstOrDefault(type => type.Name == wanted) is VgpuType type)
            {
                return BuiltInVendors.WhyNot(wanted) is string missing ? throw new OperatorException($"{wanted} is not offered on this host: {missing}") : (vendor, type);
            }
        }

        throw new OperatorException($"no device type '{name}'; there are {string.Join(", ", Names)}");
    }
}
