using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Bus.Workers;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Cli.Workers;

/// <summary>A worker that waits for work goes through it once with each kind of vGPU, a client of its own, and a successor.</summary>
internal static class Rehearsal
{
    /// <summary>Stops early when <paramref name="isWanted"/> says that somebody waits.</summary>
    internal static void Run(Func<bool> isWanted)
    {
        foreach (string type in (string[])["virtio-gpu", "bochs-display"])
        {
            if (!isWanted())
            {
                Play(type, isWanted);
            }
        }
    }

    private static void Play(string type, Func<bool> isWanted)
    {
        // Lines are made as ever, and nobody reads them.
        var log = new ConsoleLog(TextWriter.Null, LogLevel.Information);
        var definition = new InstanceDefinition { Uuid = Guid.NewGuid(), Name = "rehearsal", Parent = "rehearsal", Type = type };
        (UnixSocket served, UnixSocket connected) = UnixSocket.Pair();
        using var vmm = new RehearsalVmm(new VfioUserClient(connected));
        using var rehearsal = new WorkerRehearsal(definition, served, request => new WorkerVgpu(request, log), log);
        rehearsal.Begin();
        vmm.Begin();
        vmm.Draw();
        if (!isWanted())
        {
            rehearsal.TakeOver();
            vmm.Draw();
        }
    }
}
