using Vgpu.Screens;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>vGPUs that a test makes and draws on.</summary>
public sealed class FakeVgpus : IConsoleVgpus, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, FakeVgpu> _all = [];
    private readonly List<FakeVgpu> _made = [];
    private int _lists;
    private int _glances;
    private int _lent;

    public event Action? Changed;

    /// <summary>How often the list was asked for.</summary>
    public int Lists => Volatile.Read(ref _lists);

    /// <summary>Every look at a screen so far.</summary>
    public int Glances => Volatile.Read(ref _glances);

    /// <summary>Screens that are lent now.</summary>
    public int Lent => Volatile.Read(ref _lent);


    public FakeVgpu Add(string name, ConsoleVgpuState state = ConsoleVgpuState.Running)
    {
        var made = new FakeVgpu(new ConsoleVgpu
        {
            Uuid = Guid.NewGuid(),
            Name = name,
            Type = "virtio-gpu-256m",
            State = state,
            MemoryUsed = 96 << 20,
            MemoryLimit = 256 << 20,
        });
        lock (_lock)
        {
            _all.Add(made.Facts.Uuid, made);
            _made.Add(made);
        }

        Changed?.Invoke();
        return made;
    }

    public void Change(FakeVgpu vgpu, Func<ConsoleVgpu, ConsoleVgpu> how)
    {
        lock (_lock)
        {
            vgpu.Facts = how(vgpu.Facts);
        }

        Changed?.Invoke();
    }

    public void Remove(FakeVgpu vgpu)
    {
        lock (_lock)
        {
            _ = _all.Remove(vgpu.Facts.Uuid);
        }

        vgpu.End();
        Changed?.Invoke();
    }

    public IReadOnlyList<ConsoleVgpu> List()
    {
        _ = Interlocked.Increment(ref _lists);
        lock (_lock)
        {
            return [.. _all.Values.OrderBy(vgpu => vgpu.Facts.Name, StringComparer.Ordinal).Select(vgpu => vgpu.Facts with { Modes = vgpu.Modes })];
        }
    }

    public ConsoleGlance? Glance(Guid uuid, ulong? known)
    {
        _ = Interlocked.Increment(ref _glances);
        Head? head = Find(uuid)?.Screen.Heads[0];
        if (head is null || head.State.Width == 0)
        {
            return null;
        }

        ulong generation = head.Generation;
        return generation == known ? new ConsoleGlance(generation, null) : new ConsoleGlance(generation, head.Capture(withCursor: true));
    }

    public IConsoleScreen? Open(Guid uuid)
    {
        FakeVgpu? vgpu = Find(uuid);
        if (vgpu is not { Facts.State: ConsoleVgpuState.Running })
        {
            return null;
        }

        _ = Interlocked.Increment(ref _lent);
        return new Loan(this, vgpu);
    }

    public void Dispose() => _made.ForEach(each => each.Dispose());

    private FakeVgpu? Find(Guid uuid)
    {
        lock (_lock)
        {
            return _all.GetValueOrDefault(uuid);
        }
    }

    private sealed class Loan(FakeVgpus owner, FakeVgpu vgpu) : IConsoleScreen
    {
        public Screen Screen => vgpu.Screen;

        public CancellationToken Gone => vgpu.Gone;

        public void Dispose() => Interlocked.Decrement(ref owner._lent);
    }
}
