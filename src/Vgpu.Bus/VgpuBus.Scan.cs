// The definitions as they are on the disk now, which mdevctl and the operator write too.
using System.Globalization;
using Vgpu.Bus.Disk;
using Vgpu.Bus.Settings;

namespace Vgpu.Bus;

public sealed partial class VgpuBus
{
    // mdevctl truncates a file and then writes it. One that is no JSON is looked at again, and set aside when it is old.
    private static readonly TimeSpan s_unfinished = TimeSpan.FromSeconds(2);

    private readonly Lock _scanLock = new();

    // What could not be read; all is looked at again until it can.
    private string? _unread;
    private readonly HashSet<string> _again = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (byte[] Content, DateTime Written, long Since)> _unfinished = new(StringComparer.Ordinal);

    /// <summary>Takes in what others have changed in the folder before this call. Never throws; no gate is held.</summary>
    private void Refresh()
    {
        Scan(atStart: false);
        _events.Raise();
    }

    private void Scan(bool atStart)
    {
        lock (_scanLock)
        {
            try
            {
                List<string>? changed = _definitions.Changes();
                changed = atStart || _unread is not null ? null : changed;
                foreach (string path in (changed ?? Everything()).Concat(_again).Distinct(StringComparer.Ordinal).ToList())
                {
                    _again.Remove(path);
                    Look(path, atStart);
                }
            }
            catch (BusException failure) when (!atStart)
            {
                Unread(failure.Message);
            }
        }
    }

    // Files, and those that are gone.
    private List<string> Everything()
    {
        string? before = _unread;
        _unread = null;
        List<string> paths = _definitions.All(reason => Unread(reason, before));
        lock (_table.Lock)
        {
            paths.AddRange(_table.All.Where(instance => instance is { Made: true, Stored: not null }).Select(instance => _definitions.PathOf(instance.Stored!)));
        }

        return paths;
    }

    private void Look(string path, bool atStart)
    {
        string name = Path.GetFileName(path);
        if (name.StartsWith('.'))
        {
            return;
        }

        if (!Guid.TryParseExact(name, "D", out Guid uuid) || uuid.ToString("D") != name || uuid == Guid.Empty)
        {
            if (DefinitionFolder.Read(path) is not DefinitionFile.Missing)
            {
                _setAside.Move(path, "its name is no UUID in lower case");
            }

            return;
        }

        Instance instance;
        lock (_table.Lock)
        {
            instance = _table.Find(uuid) ?? _table.Reserve(uuid);
        }

        if (!instance.Gate.TryEnter())
        {
            _again.Add(path);
            return;
        }

        try
        {
            // One that was removed before its gate was ours is not whose file it is now.
            bool isCurrent;
            lock (_table.Lock)
            {
                isCurrent = _table.Find(uuid) == instance;
            }

            if (isCurrent)
            {
                Take(instance, path, DefinitionFolder.Read(path), atStart);
            }
            else
            {
                _again.Add(path);
            }
        }
        finally
        {
            lock (_table.Lock)
            {
                if (instance is { Made: false, Stored: null, Active: null } && _table.Find(uuid) == instance)
                {
                    _table.Drop(instance);
                }
            }

            instance.Gate.Exit();
        }
    }

    /// <summary>Makes the instance what its file says. Its gate is held.</summary>
    private void Take(Instance instance, string path, DefinitionFile file, bool atStart)
    {
        string parent = Path.GetFileName(Path.GetDirectoryName(path))!;
        if (!instance.Made && (instance.Stored ?? instance.Active) is not null)
        {
            // Reserved by a creation that has not come to its gate.
            _again.Add(path);
            return;
        }

        bool another = instance.Made && instance.Definition.Parent != parent;
        if (file is DefinitionFile.Missing)
        {
            _unfinished.Remove(path);
            if (!another)
            {
                Undefine(instance, "its definition was taken away");
            }

            return;
        }

        if (file is DefinitionFile.Unreadable unreadable)
        {
            Unread(unreadable.Reason);
            return;
        }

        if (file is DefinitionFile.Broken { Unfinished: { } content } && !atStart && IsYoung(path, content))
        {
            _again.Add(path);
            return;
        }

        _unfinished.Remove(path);
        string? reason = another ? $"{instance.Definition.Parent} has one of this UUID" : (file as DefinitionFile.Broken)?.Reason;
        if (reason is null && file is DefinitionFile.Whole { Definition: var stored })
        {
            reason = Adopt(instance, parent, stored, atStart);
        }

        if (reason is not null)
        {
            _setAside.Move(path, reason);
            if (!another)
            {
                Undefine(instance, "its definition is set aside");
            }
        }
    }

    /// <summary>Null, or why this is no definition.</summary>
    private string? Adopt(Instance instance, string parent, StoredDefinition file, bool atStart)
    {
        string? name = file.Name ?? instance.Stored?.Name ?? instance.Active?.Name;
        InstanceDefinition? definition = Check(parent, instance.Uuid, file, name, out string? reason, out string? unusable);
        if (definition is null)
        {
            return reason;
        }

        InstanceDefinition? before = instance.Stored;
        if (instance.Made && before is not null && !Differ(definition, before) && unusable == instance.Unusable)
        {
            return null;
        }

        lock (_table.Lock)
        {
            try
            {
                _table.Define(instance, definition, instance.Active);
            }
            catch (BusException failure)
            {
                return failure.Message;
            }

            instance.Made = true;
            instance.Unusable = unusable;
            if (instance.Active is null)
            {
                (instance.State, instance.Problem) = unusable is null ? (InstanceState.Stopped, null) : (InstanceState.Failed, unusable);
            }
        }

        if (unusable is not null)
        {
            string detail = $"{_definitions.PathOf(definition)} is left out: {unusable}";
            _log.SetAside(detail);
            Note("set-aside", definition, detail);
        }
        else if (!atStart)
        {
            Note(before is null ? "created" : "changed", definition, $"by its file {_definitions.PathOf(definition)}");
        }

        return null;
    }

    private void Undefine(Instance instance, string why)
    {
        if (!instance.Made || instance.Stored is null)
        {
            return;
        }

        InstanceDefinition definition = instance.Definition;
        lock (_table.Lock)
        {
            if (instance.Active is null)
            {
                _table.Drop(instance);
            }
            else
            {
                _table.Define(instance, null, instance.Active);
            }
        }

        Note(instance.Made ? "changed" : "removed", definition, instance.Made ? $"{why}: it ends when it is stopped" : why);
    }

    private void Unread(string reason, string? before = null)
    {
        if (reason != (before ?? _unread))
        {
            _log.NotRead(reason);
        }

        _unread = reason;
    }

    // The same bytes may be another writing's: what was whole in between need not have been seen.
    private bool IsYoung(string path, byte[] content)
    {
        DateTime written = File.GetLastWriteTimeUtc(path);
        if (_unfinished.TryGetValue(path, out (byte[] Content, DateTime Written, long Since) seen) && seen.Written == written && seen.Content.AsSpan().SequenceEqual(content))
        {
            return _clock.GetElapsedTime(seen.Since) < s_unfinished;
        }

        _unfinished[path] = (content, written, _clock.GetTimestamp());
        return true;
    }

    /// <summary>
    /// A file's definition held against what its parent and type can have. Null: it is none, for <paramref name="reason"/>.
    /// One for which this daemon lacks the parent or the type, or is too old, is one, and <paramref name="unusable"/> says so.
    /// </summary>
    private InstanceDefinition? Check(string parent, Guid uuid, StoredDefinition file, string? name, out string? reason, out string? unusable)
    {
        unusable = null;
        Offer? offer = null;
        if (file.Version > DefinitionJson.Version)
        {
            unusable = string.Create(CultureInfo.InvariantCulture, $"it is of version {file.Version} and this vgpu knows version {DefinitionJson.Version}: run the newer vgpu");
        }
        else if (!_parents.TryGetValue(parent, out Parent? known))
        {
            unusable = $"there is no parent '{OneLine.Of(parent, 64)}' here: there are {string.Join(", ", _parents.Keys)}";
        }
        else if ((offer = known.Find(file.Type)) is null)
        {
            unusable = $"{known.Name} has no type '{OneLine.Of(file.Type, 64)}': it has {string.Join(", ", known.Offers.Select(other => other.Type.Name))}";
        }

        try
        {
            name ??= InstanceName.Derived(file.Type, uuid);
            InstanceName.Check(name);
            reason = null;
            return new InstanceDefinition
            {
                Uuid = uuid,
                Name = name,
                Parent = parent,
                Type = file.Type,
                Auto = file.Auto,
                Owner = file.Owner,
                After = CheckAfter(file.After),
                Settings = offer is null ? file.Settings : Setting.Checked(file.Settings, offer.Type),
            };
        }
        catch (BusException failure)
        {
            reason = failure.Message;
            return null;
        }
    }
}
