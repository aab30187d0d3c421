using Vgpu.Gpus.Shares;
using Vgpu.Linux;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>vGPUs on one GPU, each with the real gate on a real table, by a clock that only goes on here: the same every time.</summary>
internal sealed class Simulation : IDisposable
{
    // A machine that has been up for a while.
    private const long Start = 3_600_000_000_000;

    private readonly FileDescriptor _file;
    private readonly ShareTable _table;
    private readonly Random _random = new(1);
    private readonly SimulatedVgpu[] _vgpus;
    private readonly SimulatedGpu _gpu;
    private double _now = Start;

    internal Simulation(params SimulatedVgpu[] vgpus)
        : this(new ShareOptions(), false, vgpus)
    {
    }

    internal Simulation(ShareOptions options, params SimulatedVgpu[] vgpus)
        : this(options, false, vgpus)
    {
    }

    /// <param name="options">Of the turns.</param>
    /// <param name="isInOrder">The GPU does all work in the order in which it came.</param>
    /// <param name="vgpus">Who shares it.</param>
    internal Simulation(ShareOptions options, bool isInOrder, params SimulatedVgpu[] vgpus)
    {
        _vgpus = vgpus;
        _gpu = new SimulatedGpu(vgpus.Length, isInOrder);
        _file = ShareTable.CreateFile(options);
        _table = new ShareTable(_file);
        foreach (SimulatedVgpu vgpu in vgpus)
        {
            Assert.True(_table.TrySet(vgpu.Uuid, vgpu.Terms));
        }

        foreach (SimulatedVgpu vgpu in vgpus)
        {
            vgpu.Gate = new ShareGate(new ShareTable(_file), vgpu.Uuid, Start);
            vgpu.WakesAt = Start;
        }
    }

    internal long Slice => _table.TimeSlice;

    internal ShareTable Table => _table;

    /// <summary>How late a thread is that waits for a time: as poll(2) or ppoll(2) wake it.</summary>
    internal Func<Random, long> Lateness { get; init; } = random => random.Next(20_000, 120_000);

    /// <summary>Nanoseconds since the beginning.</summary>
    internal long Now => (long)_now - Start;

    /// <summary>What each has had of the GPU's time, truly, in nanoseconds.</summary>
    internal IReadOnlyList<double> Given => _gpu.Given;

    internal static long Since(long at) => at - Start;

    internal static long At(double seconds) => Start + (long)(seconds * 1e9);

    internal Simulation RunUntil(double seconds)
    {
        double end = Start + (seconds * 1e9);
        while (_now < end)
        {
            double wake = _vgpus.Where(vgpu => !vgpu.IsDead).Min(vgpu => vgpu.WakesAt);
            double next = Math.Min(end, Math.Max(_now, Math.Min(wake, _now + (_gpu.Next ?? double.MaxValue))));
            IReadOnlyList<int> done = _gpu.Advance(next - _now);
            _now = next;
            foreach (int i in done)
            {
                _vgpus[i].Signal((long)_now + _random.Next(10_000, 60_000));
            }

            for (int i = 0; i < _vgpus.Length; i++)
            {
                if (!_vgpus[i].IsDead && _vgpus[i].WakesAt <= _now)
                {
                    int vgpu = i;
                    _vgpus[i].Run((long)_now, length => _gpu.Submit(vgpu, length), () => Lateness(_random));
                }
            }
        }

        return this;
    }

    /// <summary>What one has had as its own gate measures it.</summary>
    internal ShareUse UseOf(SimulatedVgpu vgpu)
    {
        Assert.True(_table.TryRead(vgpu.Uuid, (long)_now, out ShareUse use));
        return use;
    }

    /// <summary>Another worker in place of one that died.</summary>
    internal void Succeed(SimulatedVgpu vgpu) => vgpu.Gate = new ShareGate(new ShareTable(_file), vgpu.Uuid, (long)_now);

    public void Dispose()
    {
        foreach (SimulatedVgpu vgpu in _vgpus)
        {
            vgpu.Gate?.Dispose();
        }

        _table.Dispose();
        _file.Dispose();
    }
}
