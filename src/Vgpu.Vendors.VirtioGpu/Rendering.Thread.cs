// The renderer's thread: how it waits, how it takes the device's lock, and what others may ask of it at once.
using System.Runtime.ExceptionServices;
using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class Rendering
{
    private const int NanosecondsPerMillisecond = 1_000_000;
    private const int RetryMilliseconds = 10;
    private const int LockMilliseconds = 1;
    private const int Wake = 0;
    private const int Fences = 1;

    private readonly Func<IRenderer3D> _make;
    private readonly VgpuNotices _notices;
    private readonly RendererPatience _patience;
    private readonly Thread _thread;
    private readonly Timer _watch;
    private readonly EventFd _wake = EventFd.Create();
    private readonly PollSet _waits = new();

    // What is asked of the thread while its asker holds the device's lock, by tickets. The monitor's own; a leaf.
    private readonly object _gate = new();
    private List<uint> _detach = [];
    private List<uint> _detaching = [];
    private bool _resetDue;
    private ulong _asked;
    private ulong _done;
    private bool _hasEnded;

    private IRenderer3D? _renderer;
    private ExceptionDispatchInfo? _failure;
    private uint _ready;
    private volatile bool _stop;
    private long _askedSince;
    private long _reported;

    /// <summary>This queue may have chains for the thread. Any thread, whatever locks it holds; allocates nothing.</summary>
    internal void Ready(int queue)
    {
        if (Interlocked.Or(ref _ready, 1u << queue) == 0 && !_stop)
        {
            _wake.Signal();
        }
    }

    private void StartThread()
    {
        _thread.Start();
        lock (_gate)
        {
            while (_renderer is null && _failure is null)
            {
                Monitor.Wait(_gate);
            }
        }

        if (_failure is not null)
        {
            _thread.Join();
            Dispose();
            _failure.Throw();
        }

        _watch.Change(_patience.Hang / 2, _patience.Hang / 2);
    }

    private void EndThread()
    {
        _stop = true;
        _wake.Signal();
        if (_thread.Join(_patience.Quiesce * 5))
        {
            _wake.Dispose();
        }
    }

    private void Run()
    {
        try
        {
            IRenderer3D renderer = _make();
            try
            {
                _share = _makeShare?.Invoke();
            }
            catch
            {
                renderer.Dispose();
                throw;
            }

            Capsets = renderer.Capsets;
            lock (_gate)
            {
                _renderer = renderer;
                Monitor.PulseAll(_gate);
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
                _hasEnded = true;
                Monitor.PulseAll(_gate);
            }

            return;
        }

        using (_share)
        using (_renderer)
        {
            while (!_stop)
            {
                Turn();
            }

            ServeAsked();
        }

        lock (_gate)
        {
            _hasEnded = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Turn()
    {
        ServeAsked();
        AnswerFences();
        uint queues = Interlocked.Exchange(ref _ready, 0);
        if (_again != 0)
        {
            // It was left there, and may go on by now: a fence may have come, or what was asked of this thread has changed it.
            _again = 0;
            queues |= 1u << VirtioGpuConstants.CONTROLQ;
        }

        bool isLater = false;
        bool isMore = queues != 0 && Work(queues, out isLater);
        if (isMore || Volatile.Read(ref _ready) != 0)
        {
            return;
        }

        _waits.Clear();
        _ = _waits.Add(_wake.Descriptor, PollEvents.POLLIN);
        _ = _waits.Add(_renderer!.FencesSignalled.Descriptor, PollEvents.POLLIN);
        _ = _waits.WaitNanoseconds(TimeToNext(isLater));
        if (_waits.Ready(Wake) != PollEvents.None)
        {
            _ = _wake.Take();
        }

        if (_waits.Ready(Fences) != PollEvents.None)
        {
            _ = _renderer.FencesSignalled.Take();
        }

        if (isLater)
        {
            _ = Interlocked.Or(ref _ready, queues);
        }
    }

    // Nanoseconds; -1: only what is signalled brings anything about.
    private long TimeToNext(bool isLater)
    {
        long next = _held.Count + _jobs.Count == 0 ? -1 : _renderer!.PollMilliseconds;
        if (isLater && (next < 0 || next > RetryMilliseconds))
        {
            next = RetryMilliseconds;
        }

        next = next < 0 ? -1 : next * NanosecondsPerMillisecond;
        long left = _again == 0 ? -1 : Math.Max(0, _again - Now);
        return next < 0 ? left : left < 0 ? next : Math.Min(next, left);
    }

    // Whoever holds the device's lock may be waiting for this thread: it never waits for the lock without doing what is asked.
    private void Enter()
    {
        while (true)
        {
            if (!Transport.Lock.TryEnter(LockMilliseconds))
            {
                ServeAsked();
            }
            else if (IsServed)
            {
                return;
            }
            else
            {
                Transport.Lock.Exit();
                ServeAsked();
            }
        }
    }

    private void ServeAsked()
    {
        if (IsServed)
        {
            return;
        }

        ulong ticket;
        bool reset;
        lock (_gate)
        {
            ticket = _asked;
            reset = _resetDue;
            _resetDue = false;
            (_detach, _detaching) = (_detaching, _detach);
        }

        BeginAsking();
        if (reset)
        {
            _renderer!.Reset();
            ResetJobs();
        }
        else
        {
            foreach (uint resource in _detaching)
            {
                _renderer!.DetachBacking(resource);
            }
        }

        EndAsking();
        _detaching.Clear();
        lock (_gate)
        {
            Volatile.Write(ref _done, ticket);
            Monitor.PulseAll(_gate);
        }
    }

    private bool Detach(List<uint> resources)
    {
        ulong ticket;
        lock (_gate)
        {
            _detach.AddRange(resources);
            ticket = ++_asked;
        }

        return AwaitServed(ticket);
    }

    private void ResetRenderer()
    {
        ulong ticket;
        lock (_gate)
        {
            // What it holds of memory goes with everything else.
            _detach.Clear();
            _resetDue = true;
            ticket = ++_asked;
        }

        _ = AwaitServed(ticket);
    }

    // False: the renderer has not come back in time, and the thread does what was asked before anything else once it has.
    private bool AwaitServed(ulong ticket)
    {
        if (!_stop)
        {
            _wake.Signal();
        }

        long end = Environment.TickCount64 + (long)_patience.Quiesce.TotalMilliseconds;
        lock (_gate)
        {
            while (_done < ticket && !_hasEnded)
            {
                long left = end - Environment.TickCount64;
                if (left <= 0)
                {
                    return false;
                }

                _ = Monitor.Wait(_gate, (int)left);
            }

            return true;
        }
    }

    private bool IsServed => Volatile.Read(ref _asked) == Volatile.Read(ref _done);

    private void BeginAsking() => Volatile.Write(ref _askedSince, Environment.TickCount64);

    private void EndAsking() => Volatile.Write(ref _askedSince, 0);

    // A timer's thread, as the renderer's is the one that does not come back.
    private void Watch()
    {
        long since = Volatile.Read(ref _askedSince);
        long passed = Environment.TickCount64 - since;
        if (since == 0 || since == _reported || passed < _patience.Hang.TotalMilliseconds)
        {
            return;
        }

        _reported = since;
        _notices.Report(new VgpuNotice(
            VgpuNoticeKind.RendererHung, $"the host's renderer has not come back for {passed / 1000} s from what the guest asked of it ({Call.Kind})"));
    }
}
