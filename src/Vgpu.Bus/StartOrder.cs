namespace Vgpu.Bus;

/// <summary>Who is started before whom (<see cref="InstanceDefinition.After"/>).</summary>
internal static class StartOrder
{
    /// <summary>
    /// Groups, each of which may start at once when those before it are up. What stands in a ring comes last, all at once.
    /// </summary>
    /// <param name="toStart">All that the daemon starts.</param>
    /// <param name="isKnown">Whether there is an instance of this name or UUID.</param>
    /// <param name="odd">Is told, in one line for an instance, what can't be kept.</param>
    internal static List<List<InstanceDefinition>> Groups(
        IReadOnlyCollection<InstanceDefinition> toStart, Func<string, bool> isKnown, Action<InstanceDefinition, string> odd)
    {
        Dictionary<string, InstanceDefinition> byName = toStart.ToDictionary(definition => definition.Name, StringComparer.Ordinal);
        Dictionary<Guid, InstanceDefinition> byUuid = toStart.ToDictionary(definition => definition.Uuid);
        var waitsFor = new Dictionary<Guid, HashSet<Guid>>();
        foreach (InstanceDefinition definition in toStart)
        {
            HashSet<Guid> before = waitsFor[definition.Uuid] = [];
            foreach (string name in definition.After)
            {
                if ((Guid.TryParse(name, out Guid uuid) ? byUuid.GetValueOrDefault(uuid) : byName.GetValueOrDefault(name)) is { } first)
                {
                    before.Add(first.Uuid);
                }
                else if (!isKnown(name))
                {
                    odd(definition, $"{definition.Name} is to start after '{name}', which there is not: it is started all the same; set its 'after' right");
                }
            }
        }

        List<List<InstanceDefinition>> groups = [];
        while (waitsFor.Count > 0)
        {
            List<InstanceDefinition> next = [.. waitsFor.Where(entry => entry.Value.Count == 0).Select(entry => byUuid[entry.Key]).OrderBy(definition => definition.Name, StringComparer.Ordinal)];
            if (next.Count == 0)
            {
                next = [.. waitsFor.Keys.Select(uuid => byUuid[uuid]).OrderBy(definition => definition.Name, StringComparer.Ordinal)];
                odd(next[0], $"{string.Join(", ", next.Select(definition => definition.Name))} wait for each other in 'after': they are started all the same; take one out");
            }

            foreach (InstanceDefinition definition in next)
            {
                waitsFor.Remove(definition.Uuid);
            }

            foreach (HashSet<Guid> before in waitsFor.Values)
            {
                before.ExceptWith(next.Select(definition => definition.Uuid));
            }

            groups.Add(next);
        }

        return groups;
    }
}
