using System.Collections.Concurrent;

namespace Vgpu.Linux;

/// <summary>
/// Threads for what may wait, such as a write for a worker process, while others read. As many writes wait as processes
/// wait for theirs.
/// </summary>
internal sealed class FuseWriters : IDisposable
{
    private const int Threads = 4;

    private readonly BlockingCollection<Action> _pending = [];
    private readonly Thread[] _threads;

    internal FuseWriters()
    {
        _threads = new Thread[Threads];
        for (int i = 0; i < Threads; i++)
        {
            _threads[i] = new Thread(Run) { Name = "tree writes", IsBackground = true };
            _threads[i].Start();
        }
    }

    /// <summary>Throws <see cref="InvalidOperationException"/> after the end. What is added throws nothing.</summary>
    internal void Add(Action action) => _pending.Add(action);

    /// <summary>Carries out what was added, and ends.</summary>
    public void Dispose()
    {
        _pending.CompleteAdding();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _pending.Dispose();
    }

    private void Run()
    {
        foreach (Action action in _pending.GetConsumingEnumerable())
        {
            action();
        }
    }
}
