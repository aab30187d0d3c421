using System.Globalization;
using Vgpu.Bus.Settings;
using Vgpu.Linux;
using Vgpu.Vfio.Migration;

namespace Vgpu.Bus.Workers;

/// <summary>Where the serving of an instance is.</summary>
internal enum ServedPhase
{
    /// <summary>Waits for a worker, or for it to say that it serves.</summary>
    Starting,
    Serving,

    /// <summary>Its worker was asked to hand over.</summary>
    Yielding,

    /// <summary>Its worker was asked to end.</summary>
    Stopping,
}

/// <summary>One instance that is served, as the daemon keeps it. Supervisor's thread only, but the status, which any reads.</summary>
internal sealed class ServedInstance(InstanceRecord record, InstancePaths paths) : IDisposable
{
    // So many deaths in a row, and the next worker begins with the device reset; so many, and there is no next.
    private const int DeathsUntilReset = 5;
    internal const int DeathsUntilGivenUp = 10;

    // Who has served for longer, or done anything for the guest, has not died of what it was given.
    private const long QuickDeath = 500;

    private readonly StallWatch[] _watches = [.. Enumerable.Range(0, InstanceFunctions.Names.Count).Select(function => new StallWatch(function))];
    private readonly MeterWatch _meter = new();
    private int _deaths;
    private ulong _progress;
    private volatile WorkerStatus? _status;

    internal InstanceRecord Record { get; private set; } = record;

    internal InstancePaths Paths { get; } = paths;

    internal ServedPhase Phase { get; set; } = ServedPhase.Starting;

    internal WorkerLink? Link { get; set; }

    /// <summary>Its worker has handed over, and ends.</summary>
    internal bool HasYielded { get; set; }

    /// <summary>How the next worker begins.</summary>
    internal ServeMode Mode { get; set; } = ServeMode.Fresh;

    internal int Successions { get; set; }

    /// <summary>
    /// The largest quota in bytes that was set while this daemon has it; 0: none but the type's own. What a guest took within it
    /// stays its own when the quota is lowered, and a successor brings back no more than that.
    /// </summary>
    internal ulong PeakMemory { get; private set; } = MemoryOf(record.Definition);

    /// <summary>Since when nobody serves it, by <see cref="Environment.TickCount64"/>.</summary>
    internal long Since { get; set; } = Environment.TickCount64;

    /// <summary>Since when its worker serves.</summary>
    internal long ServedSince { get; private set; }

    /// <summary>Whoever waits for it to be served.</summary>
    internal TaskCompletionSource? Started { get; set; }

    /// <summary>Whoever waits for a change to be in force.</summary>
    internal TaskCompletionSource? Configured { get; set; }

    /// <summary>The definition that comes into force with it.</summary>
    internal InstanceDefinition? Pending { get; set; }

    /// <summary>Whoever waits for its end.</summary>
    internal TaskCompletionSource? Stopped { get; set; }

    /// <summary>What the worker said last. Any thread.</summary>
    internal WorkerStatus? Status
    {
        get => _status;
        set => _status = value;
    }

    /// <summary>The same with what is counted of it until now. Any thread.</summary>
    internal WorkerStatus? Measure() => _status is { } status ? _meter.Complete(status) with { CpuNanoseconds = ProcessorTime.Of(status.Pid) } : null;

    /// <summary>Reads from now on what its worker counts in the record's file.</summary>
    internal void FollowMeter() => _meter.Follow(Record.Files.GetValueOrDefault(UsageMeter.FileName));

    /// <summary>Whether its worker has stood still at one of the functions for longer than <paramref name="limit"/>.</summary>
    internal bool IsStalled(int pid, TimeSpan limit)
    {
        // Each is looked at, whatever the others say: it counts from what it saw last.
        bool isStalled = false;
        foreach (StallWatch watch in _watches)
        {
            isStalled |= watch.Look(Record, pid, limit);
        }

        return isStalled;
    }

    /// <summary>Another definition is in force.</summary>
    internal void Define(InstanceDefinition definition)
    {
        Record.Definition = definition;
        PeakMemory = Math.Max(PeakMemory, MemoryOf(definition));
    }

    private static ulong MemoryOf(InstanceDefinition definition) =>
        ulong.TryParse(definition.Settings.GetValueOrDefault(Setting.MemoryLimit.Name), CultureInfo.InvariantCulture, out ulong bytes) ? bytes : 0;

    /// <summary>Counts a death, and says how the next worker begins; null: there have been too many.</summary>
    internal ServeMode? AfterDeath()
    {
        bool isQuick = Phase != ServedPhase.Serving || (Environment.TickCount64 - ServedSince < QuickDeath && Progress() == _progress);
        _deaths = isQuick ? _deaths + 1 : 0;
        return _deaths >= DeathsUntilGivenUp ? null
            : !Record.HasClient ? ServeMode.Fresh
            : _deaths >= DeathsUntilReset ? ServeMode.Reset
            : ServeMode.Restore;
    }

    /// <summary>A worker serves from now on.</summary>
    internal void Begin()
    {
        Phase = ServedPhase.Serving;
        FollowMeter();
        ServedSince = Environment.TickCount64;
        _progress = Progress();
    }

    // Changes with each chain that is done and with each change of a device, as far as its worker is to be believed.
    private ulong Progress()
    {
        ulong progress = 0;
        foreach (FunctionRecord function in Record.Functions)
        {
            progress += Record.Files.TryGetValue(function.CheckpointFile, out FileDescriptor? file) ? ProgressOf(file) : 0;
        }

        return progress;
    }

    private static ulong ProgressOf(FileDescriptor file)
    {
        try
        {
            using var checkpoint = new DeviceCheckpoint(file);
            return checkpoint.Generation + checkpoint.Done(0) + checkpoint.Done(1);
        }
        catch (Exception e) when (e is LinuxException or ArgumentException)
        {
            return 0;
        }
    }

    /// <summary>Its worker has told all of it anew.</summary>
    internal void Adopt(InstanceRecord told)
    {
        Release();
        Record = told;
        FollowMeter();
    }

    /// <summary>Nobody waits for anything of it any more.</summary>
    internal void Fail(BusException why)
    {
        Started?.TrySetException(why);
        Configured?.TrySetException(why);
        Started = Configured = null;
    }

    public void Dispose()
    {
        Release();
        InstanceSockets.Remove(Paths);
    }

    /// <summary>Closes what is held of it, and leaves its sockets where they are, for the next daemon.</summary>
    internal void Release()
    {
        foreach (StallWatch watch in _watches)
        {
            watch.Dispose();
        }

        _meter.Dispose();
        Record.Dispose();
    }
}
