namespace Vgpu.Viewers.Web;

/// <summary>Wakes everybody who waits for the list to change. Any thread.</summary>
internal sealed class ChangeSignal : IDisposable
{
    private readonly IConsoleVgpus _vgpus;
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ChangeSignal(IConsoleVgpus vgpus)
    {
        _vgpus = vgpus;
        _vgpus.Changed += Raise;
    }

    /// <summary>Ends with the next change: taken before looking, it misses none.</summary>
    internal Task Next => Volatile.Read(ref _next).Task;

    public void Dispose() => _vgpus.Changed -= Raise;

    private void Raise() =>
        Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
