// Changes of an instance, on the disk, in its worker and in the table: all of them or none.
using Vgpu.Bus.Disk;
using Vgpu.Bus.Settings;
using Vgpu.Gpus;

namespace Vgpu.Bus;

public sealed partial class VgpuBus
{
    /// <inheritdoc/>
    public InstanceView Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings)
    {
        using Turn turn = Enter(nameOrUuid);
        Instance instance = turn.Instance;
        if (instance.Unusable is not null)
        {
            throw new BusException(BusError.NotFound, $"{instance.Definition.Name} can't be changed: {instance.Unusable}");
        }

        VgpuType type;
        InstanceDefinition? storedBefore, activeBefore;
        lock (_table.Lock)
        {
            type = _table.OfferOf(instance.Definition)!.Type;
            (storedBefore, activeBefore) = (instance.Stored, instance.Active);
        }

        InstanceDefinition? stored = storedBefore is null ? null : Changed(storedBefore, settings, type);
        InstanceDefinition? active = activeBefore is null ? null : Changed(activeBefore, settings, type);
        if (!Differ(stored, storedBefore) && !Differ(active, activeBefore))
        {
            return View(instance);
        }

        if (stored is null && active!.Auto)
        {
            throw new BusException(BusError.Invalid, $"{active.Name} is transient and can't be started by the daemon: define it first");
        }

        Apply(instance, (storedBefore, stored), (activeBefore, active));
        Note("changed", instance.Definition, string.Join(' ', settings.Select(setting => $"{setting.Key}={setting.Value ?? "default"}")));
        return View(instance);
    }

    private static bool Differ(InstanceDefinition? one, InstanceDefinition? other) =>
        one is not null && other is not null && !DefinitionJson.Write(one).AsSpan().SequenceEqual(DefinitionJson.Write(other));

    /// <summary>Of each pair the first is so and the second is to be; both are null where there is none. The gate is held.</summary>
    private void Apply(Instance instance, (InstanceDefinition? Before, InstanceDefinition? After) stored, (InstanceDefinition? Before, InstanceDefinition? After) active)
    {
        bool running, runs;
        lock (_table.Lock)
        {
            running = instance.State == InstanceState.Running;
            runs = running || instance.Lost;
            if (instance.Active != active.Before)
            {
                throw new BusException(BusError.Busy, $"{instance.Definition.Name} ended while it was changed: see why, and try again");
            }

            _table.Define(instance, stored.After, active.After);
            try
            {
                if (running)
                {
                    // What it gives up it keeps until all is done.
                    _table.Charge(instance, instance.Charge.Or(_table.CostOf(active.After!)));
                }
            }
            catch
            {
                _table.Define(instance, stored.Before, active.Before);
                throw;
            }
        }

        bool configured = false, kept = false;
        try
        {
            using PreparedFile? storedFile = Differ(stored.After, stored.Before) ? _definitions.Prepare(stored.After!) : null;
            using PreparedFile? activeFile = runs && Differ(active.After, active.Before) ? _runs.Prepare(active.After!) : null;
            if (running && NeedsWorker(active.After!, active.Before!))
            {
                Guarded(() => _workers.Configure(active.After!));
                configured = true;
            }

            storedFile?.Commit();
            kept = storedFile is not null;
            activeFile?.Commit();
        }
        catch
        {
            if (configured)
            {
                Undo(() => Guarded(() => _workers.Configure(active.Before!)));
            }

            if (kept)
            {
                Undo(() => _definitions.Write(stored.Before!));
            }

            Settle(instance, stored.Before, active.Before);
            throw;
        }

        Settle(instance, stored.After, active.After);
    }

    // A worker may have ended for good meanwhile: it runs no more and takes nothing.
    private void Settle(Instance instance, InstanceDefinition? stored, InstanceDefinition? active)
    {
        lock (_table.Lock)
        {
            _table.Define(instance, stored, instance.Active is null ? null : active);
            if (instance.State == InstanceState.Running)
            {
                _table.Charge(instance, active!, force: true);
            }
        }
    }

    private static bool NeedsWorker(InstanceDefinition after, InstanceDefinition before) =>
        after.Owner != before.Owner || !after.Settings.SequenceEqual(before.Settings);

    private static InstanceDefinition Changed(InstanceDefinition definition, IReadOnlyDictionary<string, string?> changes, VgpuType type)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in definition.Settings)
        {
            settings[name] = value;
        }

        foreach ((string name, string? given) in changes)
        {
            string? value = given?.Trim();
            switch (name)
            {
                case "name":
                    InstanceName.Check(value ?? string.Empty);
                    definition = definition with { Name = value! };
                    break;
                case "auto":
                    definition = definition with { Auto = value is not null && ParseSwitch(name, value) };
                    break;
                case "owner":
                    definition = definition with { Owner = value is null ? null : OwnerName.Parse(value) };
                    break;
                case "after":
                    definition = definition with { After = CheckAfter(value?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? []) };
                    break;
                default:
                    Setting setting = Setting.Find(name) ?? throw Setting.Unknown(name);
                    if (value is null)
                    {
                        settings.Remove(name);
                    }
                    else if (setting.Canonical(value, type) is var canonical && canonical != (settings.GetValueOrDefault(name) ?? setting.Default(type)))
                    {
                        settings[name] = canonical;
                    }

                    break;
            }
        }

        return definition with { Settings = settings };
    }

    private static bool ParseSwitch(string name, string value) => value switch
    {
        "on" or "true" or "yes" or "1" => true,
        "off" or "false" or "no" or "0" => false,
        _ => throw new BusException(BusError.Invalid, $"{name} can't be '{OneLine.Of(value, 64)}': it is on or off"),
    };
}
