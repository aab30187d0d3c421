using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Daemon.Tests;

/// <summary>Ends or stops the daemon or a worker, whichever chance says, and waits until the one that was hit is back.</summary>
internal sealed class Killer(RunningDaemon daemon, Random random, IReadOnlyList<DrawingVm> vms) : IDisposable
{
    private const int LongestStop = 1000;
    private const int LongestPause = 300;

    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);
    private readonly ManualResetEventSlim _pause = new();

    public void Next()
    {
        _pause.Wait(random.Next(LongestPause));
        int chance = random.Next(10);
        bool stop = random.Next(3) == 0;
        if (chance < 3)
        {
            HitDaemon(stop);
        }
        else
        {
            HitWorker(stop);
        }

        foreach (DrawingVm vm in vms)
        {
            vm.AwaitPicture();
        }
    }

    public override string ToString() => string.Join(", ", _done.Select(pair => $"{pair.Key} {pair.Value}"));

    public void Dispose() => _pause.Dispose();

    private void HitDaemon(bool stop)
    {
        if (stop)
        {
            Count("daemon stopped");
            Stop(daemon.Pid);
            return;
        }

        Count("daemon killed");
        daemon.Kill();
        _pause.Wait(random.Next(LongestPause));
        daemon.Start();
    }

    // A spare one where chance says so; most often one that serves.
    private void HitWorker(bool stop)
    {
        using ApiClient client = daemon.Client();
        List<Api.Instance> serving = [.. client.Instances().Where(instance => instance is { State: InstanceState.Running, Worker: not null })];
        int[] spare = [.. daemon.Workers.Except(serving.Select(instance => instance.Worker!.Pid))];
        bool hitSpare = spare.Length > 0 && random.Next(8) == 0;
        int which = random.Next(serving.Count);
        int pid = hitSpare ? spare[random.Next(spare.Length)] : serving[which].Worker!.Pid;
        Count($"{(hitSpare ? "spare worker" : "worker")} {(stop ? "stopped" : "killed")}");
        if (stop)
        {
            Stop(pid);
            return;
        }

        Workplace.Signal(pid, "KILL");
        if (!hitSpare)
        {
            Guid uuid = serving[which].Uuid;
            Workplace.Eventually(() => client.Instances().FirstOrDefault(instance => instance.Uuid == uuid) is not { Worker.Pid: var now } || now != pid, "no worker takes over");
        }
    }

    private void Stop(int pid)
    {
        Workplace.Signal(pid, "STOP");
        _pause.Wait(random.Next(LongestStop));
        Workplace.Signal(pid, "CONT");
    }

    private void Count(string what) => _done[what] = _done.GetValueOrDefault(what) + 1;
}
