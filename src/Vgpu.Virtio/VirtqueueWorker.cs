// The thread that does a device's queue work, and what wakes it. A notification (virtio 1.2, 2.7.13) sets a bit and
// takes no lock, so a storm of them costs one wake-up.
using System.Numerics;

namespace Vgpu.Virtio;

/// <summary>
/// One named thread a device. Queues that are pending take turns, a chain each. Waking it is for any thread and never
/// blocks; nothing here allocates once it runs.
/// </summary>
internal sealed class VirtqueueWorker : IDisposable
{
    /// <summary>As many queues as there are bits.</summary>
    public const int MaxQueues = 64;

    private const int RetryMilliseconds = 10;

    private readonly AutoResetEvent _wake = new(false);
    private readonly Func<int, bool> _work;
    private readonly Thread _thread;
    private ulong _pending;
    private ulong _retry;
    private volatile bool _stop;

    /// <summary><paramref name="work"/> does one chain of a queue and says whether there may be more; it does not throw.</summary>
    public VirtqueueWorker(string name, Func<int, bool> work)
    {
        _work = work;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    public void Start() => _thread.Start();

    public void Wake(int queue)
    {
        if (Interlocked.Or(ref _pending, 1UL << queue) == 0)
        {
            _wake.Set();
        }
    }

    /// <summary>Wakes for this queue a little later, or at the next wake-up. Any thread.</summary>
    public void WakeLater(int queue)
    {
        if (Interlocked.Or(ref _retry, 1UL << queue) == 0 && Thread.CurrentThread != _thread)
        {
            _wake.Set();
        }
    }

    /// <summary>Ends the thread and waits for that. Without the device's lock.</summary>
    public void Dispose()
    {
        if (_stop)
        {
            return;
        }

        // The event stays open: a device's own thread may still wake a queue.
        _stop = true;
        _wake.Set();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted) && Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        while (!_stop)
        {
            _wake.WaitOne(Volatile.Read(ref _retry) == 0 ? Timeout.Infinite : RetryMilliseconds);
            ulong queues = Interlocked.Exchange(ref _retry, 0) | Interlocked.Exchange(ref _pending, 0);
            while (queues != 0 && !_stop)
            {
                for (ulong left = queues; left != 0; left &= left - 1)
                {
                    int queue = BitOperations.TrailingZeroCount(left);
                    if (!_work(queue))
                    {
                        queues &= ~(1UL << queue);
                    }
                }

                queues |= Interlocked.Exchange(ref _pending, 0);
            }
        }
    }
}
