namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>Every table of this folder as one. A new command adds its table here.</summary>
internal static class HostileCases
{
    internal static IReadOnlyList<HostileCase> All { get; } =
    [
        .. HeaderTable.Cases,
        .. VersionTable.Cases,
        .. LengthTable.Cases,
        .. FlagTable.Cases,
        .. DeviceTable.Cases,
        .. RegionTable.Cases,
        .. IrqTable.Cases,
        .. DmaTable.Cases,
        .. FeatureTable.Cases,
        .. DescriptorTable.Cases,
    ];

    internal static IReadOnlyDictionary<string, HostileCase> ByName { get; } = All.ToDictionary(c => c.Name);

    /// <summary>Those that a client which has introduced itself sends as one request, and that are answered with an error.</summary>
    internal static IEnumerable<HostileCase> Refusals => All.Where(c => c is { Outcome: Outcome.Refused, IsFirst: false });
}
