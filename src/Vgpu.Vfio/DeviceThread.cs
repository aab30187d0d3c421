namespace Vgpu.Vfio;

/// <summary>
/// A named thread of a device's own, for what must not be done on the transport's thread: computing, DMA, waiting. The
/// counterpart of a workqueue with one work item in the kernel (Documentation/core-api/workqueue.rst).
/// </summary>
public sealed class DeviceThread : IDisposable
{
    private readonly AutoResetEvent _wake = new(false);
    private readonly Action _work;
    private readonly Thread _thread;
    private volatile bool _stopping;

    /// <summary>
    /// Starts the thread, which calls <paramref name="work"/> after each <see cref="Wake"/>, with no lock held: it takes
    /// <see cref="VfioDevice.Lock"/> itself, around each unit of work that touches the device's state or guest memory.
    /// What <paramref name="work"/> throws ends the process, as on any thread.
    /// </summary>
    public DeviceThread(string name, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        _work = work;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Has the work done once more, from its beginning; several calls before that are one. Any thread, whatever locks it
    /// holds; neither waits nor allocates. Does nothing after <see cref="Dispose"/>.
    /// </summary>
    public void Wake()
    {
        if (!_stopping)
        {
            _wake.Set();
        }
    }

    /// <summary>Waits for the work that is being done and ends the thread. Without the device's lock; not from the thread itself. Again: nothing.</summary>
    public void Dispose()
    {
        // The event stays open: a thread may be between the two lines of Wake.
        _stopping = true;
        _wake.Set();
        _thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            _wake.WaitOne();
            if (_stopping)
            {
                return;
            }

            _work();
        }
    }
}
