using System.Collections.Concurrent;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// Threads that carry out writes, for one may wait for a worker process while others read. As many writes wait as
/// processes wait for theirs.
/// </summary>
internal sealed class FuseWriters : IDisposable
{
    private const int Threads = 4;

    private readonly BlockingCollection<Pending> _pending = [];
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

    internal void Add(nint request, Action<string> write, string text, int length) => _pending.Add(new Pending(request, write, text, length));

    /// <summary>Carries out what is pending, and ends. Each request is answered, once.</summary>
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
        foreach (Pending pending in _pending.GetConsumingEnumerable())
        {
            Errno error = FuseCallbacks.Try(pending, static p => p.Write(p.Text));
            _ = error == Errno.None
                ? LibFuse.ReplyWritten(pending.Request, (nuint)pending.Length)
                : LibFuse.ReplyError(pending.Request, (int)error);
        }
    }

    private sealed record Pending(nint Request, Action<string> Write, string Text, int Length);
}
