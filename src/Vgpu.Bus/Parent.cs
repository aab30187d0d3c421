using System.Globalization;
using Vgpu.Gpus;

namespace Vgpu.Bus;

/// <summary>A host GPU that the daemon offers: the types of its vendors, and the budgets that these share. Immutable.</summary>
public sealed class Parent
{
    /// <summary>Bytes of video memory of all running instances together.</summary>
    public const string MemoryBudget = "memory";

    /// <summary>Running instances.</summary>
    public const string InstancesBudget = "instances";

    /// <summary>Heads of all running instances together.</summary>
    public const string HeadsBudget = "heads";

    private readonly Dictionary<string, Offer> _offers = new(StringComparer.Ordinal);

    /// <summary>
    /// Throws <see cref="ArgumentException"/> where the name is not one (<see cref="InstanceName"/>), a budget is none of the
    /// three, or two vendors have a type of one name.
    /// </summary>
    public Parent(string name, string driver, string description, IReadOnlyDictionary<string, ulong> budgets, IReadOnlyList<IVgpuVendor> vendors)
    {
        if (!InstanceName.IsPlain(name))
        {
            throw new ArgumentException($"'{name}' can't be a parent's name: {InstanceName.Rule}", nameof(name));
        }

        foreach (string budget in budgets.Keys)
        {
            if (budget is not (MemoryBudget or InstancesBudget or HeadsBudget))
            {
                throw new ArgumentException($"no budget is called '{budget}': {MemoryBudget}, {InstancesBudget} and {HeadsBudget} are", nameof(budgets));
            }
        }

        (Name, Driver, Description, Budgets) = (name, driver, description, budgets);
        foreach (IVgpuVendor vendor in vendors)
        {
            foreach (VgpuType type in vendor.Types)
            {
                if (!_offers.TryAdd(type.Name, new Offer(vendor, type)))
                {
                    throw new ArgumentException($"the vendors {_offers[type.Name].Vendor.Name} and {vendor.Name} both have a type {type.Name}", nameof(vendors));
                }
            }
        }
    }

    /// <summary>For example <c>software0</c>.</summary>
    public string Name { get; }

    /// <summary>What renders, for example <c>software</c>.</summary>
    public string Driver { get; }

    /// <summary>One line.</summary>
    public string Description { get; }

    /// <summary>Totals by name; what is not named is not limited.</summary>
    public IReadOnlyDictionary<string, ulong> Budgets { get; }

    internal IReadOnlyCollection<Offer> Offers => _offers.Values;

    /// <summary>
    /// <c>software0</c>: the host's processors. <paramref name="memory"/>: bytes for all vGPUs, half of the host's where null;
    /// <paramref name="lacks"/>: what the host lacks for types that are not among the vendors', for the operator.
    /// </summary>
    public static Parent Software(IReadOnlyList<IVgpuVendor> vendors, ulong? memory = null, ulong instances = 1024, string? lacks = null) => new(
        "software0",
        "software",
        $"software rendering on the host's processors{(lacks is null ? string.Empty : $"; {lacks}")}",
        new Dictionary<string, ulong> { [MemoryBudget] = memory ?? (HostMemory() / 2), [InstancesBudget] = instances },
        vendors);

    internal Offer? Find(string type) => _offers.GetValueOrDefault(type);

    // proc(5): "MemTotal:       16316412 kB".
    private static ulong HostMemory()
    {
        string line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        return ulong.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}

/// <summary>A type and who makes its devices.</summary>
internal sealed record Offer(IVgpuVendor Vendor, VgpuType Type);
