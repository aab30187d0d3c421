using Vgpu.Screens;

namespace Vgpu.Vendors.Bochs;

// Looks for changes while somebody observes the head: 30 times a second while the picture moves, 10 while it rests.
internal sealed class RefreshThread : IDisposable
{
    private const int MovingMilliseconds = 33;
    private const int RestingMilliseconds = 100;

    private readonly BochsScanout _scanout;
    private readonly Head _head;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Lock _lock = new();
    private Thread? _thread;
    private bool _stopping;

    internal RefreshThread(BochsScanout scanout, Head head)
    {
        _scanout = scanout;
        _head = head;
        head.ObservationChanged += OnObservationChanged;
    }

    public void Dispose()
    {
        _head.ObservationChanged -= OnObservationChanged;
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _wake.Set();
        _thread?.Join();
        _wake.Dispose();
    }

    private void OnObservationChanged(Head head)
    {
        lock (_lock)
        {
            if (_stopping)
            {
                return;
            }

            if (_thread is null)
            {
                _thread = new Thread(Run) { Name = "bochs refresh", IsBackground = true };
                _thread.Start();
            }

            _wake.Set();
        }
    }

    private void Run()
    {
        int wait = 0;
        while (true)
        {
            _wake.WaitOne(wait);
            lock (_lock)
            {
                if (_stopping)
                {
                    return;
                }
            }

            wait = !_head.IsObserved ? Timeout.Infinite : _scanout.RefreshAndTell() ? MovingMilliseconds : RestingMilliseconds;
        }
    }
}
