using System.Diagnostics;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary>What the daemon said of all vGPUs at one moment.</summary>
/// <param name="Instances">As they came.</param>
/// <param name="At">When, by <see cref="Stopwatch.GetTimestamp"/>.</param>
internal sealed record TopLook(IReadOnlyList<Instance> Instances, long At)
{
    internal static TopLook Take(ApiClient client)
    {
        IReadOnlyList<Instance> instances = client.Instances();
        return new TopLook(instances, Stopwatch.GetTimestamp());
    }
}
