// A gate that is open when the test says so, and that counts what passes.
using Vgpu.Gpus.Shares;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal sealed class FakeGate : IShareGate
{
    private readonly object _lock = new();
    private int _asked;
    private int _submitted;
    private int _finished;
    private int _resets;
    private bool _isOpen = true;

    public bool TakesTurns { get; set; } = true;

    /// <summary>Whether work may run; whoever waits asks again in a minute, or when he is told to.</summary>
    public bool IsOpen
    {
        get => Locked(ref _isOpen);
        set
        {
            lock (_lock)
            {
                _isOpen = value;
            }
        }
    }

    public int Asked => Locked(ref _asked);

    public int Submitted => Locked(ref _submitted);

    public int Finished => Locked(ref _finished);

    public int Resets => Locked(ref _resets);

    public bool IsDisposed { get; private set; }

    public int InFlight
    {
        get
        {
            lock (_lock)
            {
                return _submitted - _finished;
            }
        }
    }

    /// <summary>Waits until one of the counts above is what it must become.</summary>
    public void Await(Func<FakeGate, bool> condition)
    {
        lock (_lock)
        {
            while (!condition(this))
            {
                Assert.True(Monitor.Wait(_lock, 60_000), "what was waited for did not come");
            }
        }
    }

    public bool MayRun(long now, out long askAgain)
    {
        lock (_lock)
        {
            askAgain = now + 60_000_000_000;
            _asked++;
            _submitted += _isOpen ? 1 : 0;
            Monitor.PulseAll(_lock);
            return _isOpen;
        }
    }

    void IShareGate.Finished(long now) => Change(ref _finished);

    public void Reset(long now)
    {
        lock (_lock)
        {
            _finished = _submitted;
        }

        Change(ref _resets);
    }

    public void Dispose() => IsDisposed = true;

    private void Change(ref int count)
    {
        lock (_lock)
        {
            count++;
            Monitor.PulseAll(_lock);
        }
    }

    private T Locked<T>(ref T value)
    {
        lock (_lock)
        {
            return value;
        }
    }
}
