using System.Globalization;
using Vgpu.Bus.Budgets;
using Vgpu.Bus.Settings;

namespace Vgpu.Bus;

/// <summary>
/// All instances by UUID and name, and what they take of the budgets. <see cref="Lock"/> guards it and the instances in it;
/// every member but that wants it held. It is never held over the disk, the worker host or a listener.
/// </summary>
internal sealed class InstanceTable
{
    private readonly Dictionary<Guid, Instance> _byUuid = [];
    private readonly Dictionary<string, Instance> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Ledger> _ledgers;

    internal InstanceTable(IReadOnlyList<Parent> parents) => _ledgers = parents.ToDictionary(parent => parent.Name, parent => new Ledger(parent), StringComparer.Ordinal);

    internal Lock Lock { get; } = new();

    internal IReadOnlyCollection<Instance> All => _byUuid.Values;

    internal IReadOnlyCollection<Ledger> Ledgers => _ledgers.Values;

    internal Instance? Find(Guid uuid) => _byUuid.GetValueOrDefault(uuid);

    /// <summary>One that is made, by its name or UUID; NotFound.</summary>
    internal Instance Find(string nameOrUuid)
    {
        Instance? instance = Guid.TryParse(nameOrUuid, out Guid uuid) ? Find(uuid) : _byName.GetValueOrDefault(nameOrUuid);
        return instance is { Made: true }
            ? instance
            : throw new BusException(BusError.NotFound, $"there is no instance '{OneLine.Of(nameOrUuid, InstanceName.MaxLength)}': the list of instances shows what there is");
    }

    /// <summary>Takes the UUID, nothing else; Exists.</summary>
    internal Instance Reserve(Guid uuid)
    {
        var instance = new Instance(uuid);
        return _byUuid.TryAdd(uuid, instance)
            ? instance
            : throw new BusException(BusError.Exists, $"there is an instance {uuid} already: start that one, or take another UUID");
    }

    internal bool IsFree(string name, Instance but) => !_byName.TryGetValue(name, out Instance? other) || other == but;

    /// <summary>TYPE-1, TYPE-2 and so on, the first that is free.</summary>
    internal string FreeName(string type)
    {
        for (int number = 1; ; number++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{type}-{number}");
            if (!_byName.ContainsKey(name))
            {
                return name;
            }
        }
    }

    /// <summary>Sets both definitions and moves the names along; Exists, and nothing is changed, where one is another's.</summary>
    internal void Define(Instance instance, InstanceDefinition? stored, InstanceDefinition? active)
    {
        foreach (string? name in (ReadOnlySpan<string?>)[stored?.Name, active?.Name])
        {
            if (name is not null && !IsFree(name, instance))
            {
                throw new BusException(BusError.Exists, $"the name '{name}' is {_byName[name].Uuid}'s: take another");
            }
        }

        foreach (string name in instance.Names)
        {
            _byName.Remove(name);
        }

        (instance.Stored, instance.Active) = (stored, active);
        foreach (string name in instance.Names)
        {
            _byName[name] = instance;
        }
    }

    /// <summary>Forgets it and gives back what it takes.</summary>
    internal void Drop(Instance instance)
    {
        GiveBack(instance);
        Define(instance, null, null);
        instance.Made = false;
        _byUuid.Remove(instance.Uuid);
    }

    /// <summary>What a definition takes while it runs; nothing where its parent or type is not known.</summary>
    internal Cost CostOf(InstanceDefinition definition) => OfferOf(definition) is { Type: var type }
        ? new Cost(Setting.MemoryOf(definition, type), 1, Setting.HeadsOf(definition, type))
        : default;

    internal Offer? OfferOf(InstanceDefinition definition) => _ledgers.GetValueOrDefault(definition.Parent)?.Parent.Find(definition.Type);

    /// <summary>Takes what <paramref name="definition"/> needs in place of what the instance took before; Exhausted.</summary>
    internal void Charge(Instance instance, InstanceDefinition definition, bool force = false) => Charge(instance, CostOf(definition), force);

    /// <summary>The same for a known cost. The instance has a definition.</summary>
    internal void Charge(Instance instance, Cost cost, bool force = false)
    {
        if (_ledgers.TryGetValue(instance.Definition.Parent, out Ledger? ledger))
        {
            if (force)
            {
                ledger.Force(instance.Charge, cost);
            }
            else
            {
                ledger.Replace(instance.Charge, cost);
            }

            instance.Charge = cost;
        }
    }

    internal void GiveBack(Instance instance)
    {
        if (instance.Charge != default)
        {
            _ledgers[instance.Definition.Parent].Force(instance.Charge, default);
            instance.Charge = default;
        }
    }
}
