using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary>What one vGPU used and did between two looks. Rates are null where there were not two looks at the same worker.</summary>
internal sealed record TopRow
{
    public required string Name { get; init; }

    public required Guid Uuid { get; init; }

    /// <summary>In lower case.</summary>
    public required string State { get; init; }

    /// <summary>Of one of the host's processors: 200 where two are busy with it.</summary>
    public double? CpuPercent { get; init; }

    /// <summary>Of the parent's GPU; null where the guest does not render on it.</summary>
    public double? GpuPercent { get; init; }

    /// <summary>Of the time: it had something to render, and others had the turn.</summary>
    public double? ThrottledPercent { get; init; }

    /// <summary>Bytes of video memory; 0 where it does not run.</summary>
    public ulong MemoryUsed { get; init; }

    /// <summary>Bytes.</summary>
    public ulong MemoryLimit { get; init; }

    public double? FramesPerSecond { get; init; }

    /// <summary>Pixels that were copied for viewers.</summary>
    public double? ViewedBytesPerSecond { get; init; }

    /// <summary>vfio-user messages of the VMM.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>A row for each vGPU of the second look, in the order of <paramref name="order"/>.</summary>
    internal static IReadOnlyList<TopRow> Between(TopLook before, TopLook now, TopOrder order)
    {
        double seconds = Stopwatch.GetElapsedTime(before.At, now.At).TotalSeconds;
        Dictionary<Guid, WorkerStatus?> former = before.Instances.ToDictionary(instance => instance.Uuid, instance => instance.Worker);
        return [.. order.Sort(now.Instances.Select(instance => Of(instance, former.GetValueOrDefault(instance.Uuid), seconds)))];
    }

    private static TopRow Of(Instance instance, WorkerStatus? before, double seconds)
    {
        WorkerStatus? now = instance.Worker;

        // These begin anew with each worker; the others are counted on.
        bool isSame = before is not null && before.Pid == now?.Pid;
        return new TopRow
        {
            Name = instance.Name,
            Uuid = instance.Uuid,
            State = InstanceText.State(instance),
            CpuPercent = isSame ? Rate(before!.CpuNanoseconds, now!.CpuNanoseconds, seconds) / 1e7 : null,
            GpuPercent = Rate(before?.GpuNanoseconds, now?.GpuNanoseconds, seconds) / 1e7,
            ThrottledPercent = Rate(before?.ThrottledNanoseconds, now?.ThrottledNanoseconds, seconds) / 1e7,
            MemoryUsed = now?.MemoryUsed ?? 0,
            MemoryLimit = now?.MemoryLimit ?? instance.MemoryLimit,
            FramesPerSecond = Rate(before?.Frames, now?.Frames, seconds),
            ViewedBytesPerSecond = Rate(before?.ViewedBytes, now?.ViewedBytes, seconds),
            RequestsPerSecond = isSame ? Rate((ulong)before!.Requests, (ulong)now!.Requests, seconds) : null,
        };
    }

    // A count that has become smaller is of an instance that was started anew.
    private static double? Rate(ulong? before, ulong? now, double seconds) =>
        before is { } first && now is { } last && last >= first && seconds > 0 ? (last - first) / seconds : null;
}
