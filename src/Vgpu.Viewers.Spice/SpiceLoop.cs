using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// SpiceCoreInterface (spice-core.h): the watches and timers of the library's own thread, which is whoever calls Turn. Its
// calls carry no context, so a process has one loop; that suits a library that is run in a process of its own.
internal sealed unsafe class SpiceLoop : IDisposable
{
    private const int SPICE_WATCH_EVENT_READ = 1 << 0;
    private const int SPICE_WATCH_EVENT_WRITE = 1 << 1;

    private static SpiceLoop? s_current;

    private readonly PollSet _poll = new();
    private readonly EventFd _wake = EventFd.Create();
    private readonly Dictionary<nint, Watch> _watches = [];
    private readonly Dictionary<nint, Timer> _timers = [];
    private readonly List<Watch> _polled = [];
    private readonly List<Timer> _due = [];
    private nint _lastHandle;

    internal SpiceLoop()
    {
        if (Interlocked.CompareExchange(ref s_current, this, null) is not null)
        {
            _wake.Dispose();
            throw new InvalidOperationException("A process has one SPICE server.");
        }

        Core = (SpiceCoreInterface*)NativeMemory.AllocZeroed((nuint)sizeof(SpiceCoreInterface));
        *Core = new SpiceCoreInterface
        {
            Base = SpiceBaseInterface.Of("core", 1, 3),
            TimerAdd = &TimerAdd,
            TimerStart = &TimerStart,
            TimerCancel = &TimerCancel,
            TimerRemove = &TimerRemove,
            WatchAdd = &WatchAdd,
            WatchUpdateMask = &WatchUpdateMask,
            WatchRemove = &WatchRemove,
            ChannelEvent = &ChannelEvent,
        };
    }

    /// <summary>The interface, as the library takes it; as long as this lives.</summary>
    internal SpiceCoreInterface* Core { get; }

    /// <summary>A channel came (1), is ready (2) or went (3), and its type (spice/enums.h).</summary>
    internal Action<int, int>? ChannelChanged { get; set; }

    /// <summary>Ends a wait soon. Any thread.</summary>
    internal void Wake() => _wake.Signal();

    /// <summary>Waits at most so long (-1: for ever), then calls what is due; true where <paramref name="other"/> can be read.</summary>
    internal bool Turn(int timeoutMilliseconds, FileDescriptor? other)
    {
        _poll.Clear();
        _polled.Clear();
        _poll.Add(_wake.Descriptor, PollEvents.POLLIN);
        foreach (Watch watch in _watches.Values)
        {
            if (watch.Mask != PollEvents.None)
            {
                _poll.Add(watch.Descriptor, watch.Mask);
                _polled.Add(watch);
            }
        }

        int otherIndex = other is null ? -1 : _poll.Add(other, PollEvents.POLLIN);
        bool isAny = _poll.Wait(Soonest(timeoutMilliseconds));
        _ = _wake.Take();
        for (int i = 0; isAny && i < _polled.Count; i++)
        {
            Call(_polled[i], _poll.Ready(i + 1));
        }

        CallTimers();
        return isAny && otherIndex >= 0 && _poll.Ready(otherIndex) != PollEvents.None;
    }

    public void Dispose()
    {
        foreach (Watch watch in _watches.Values)
        {
            watch.Forget();
        }

        _watches.Clear();
        NativeMemory.Free(Core);
        _wake.Dispose();
        s_current = null;
    }

    private static void Call(Watch watch, PollEvents ready)
    {
        const PollEvents Readable = PollEvents.POLLIN | PollEvents.POLLHUP | PollEvents.POLLERR | PollEvents.POLLNVAL;
        int events = (ready & Readable) != 0 && (watch.Mask & PollEvents.POLLIN) != 0 ? SPICE_WATCH_EVENT_READ : 0;
        events |= (ready & (PollEvents.POLLOUT | PollEvents.POLLERR)) != 0 && (watch.Mask & PollEvents.POLLOUT) != 0 ? SPICE_WATCH_EVENT_WRITE : 0;
        if (events != 0 && !watch.IsRemoved)
        {
            watch.Function(watch.Fd, events, watch.Context);
        }
    }

    private void CallTimers()
    {
        long now = Environment.TickCount64;
        _due.Clear();
        foreach (Timer timer in _timers.Values)
        {
            if (timer.Due <= now)
            {
                _due.Add(timer);
            }
        }

        foreach (Timer timer in _due)
        {
            // One that ran before may have stopped it.
            if (timer.Due <= now)
            {
                timer.Due = long.MaxValue;
                timer.Function(timer.Context);
            }
        }
    }

    private int Soonest(int timeoutMilliseconds)
    {
        long soonest = timeoutMilliseconds < 0 ? long.MaxValue : Environment.TickCount64 + timeoutMilliseconds;
        foreach (Timer timer in _timers.Values)
        {
            soonest = Math.Min(soonest, timer.Due);
        }

        return soonest == long.MaxValue ? -1 : (int)Math.Clamp(soonest - Environment.TickCount64, 0, int.MaxValue);
    }

    [UnmanagedCallersOnly]
    private static nint WatchAdd(int fd, int mask, delegate* unmanaged<int, int, nint, void> function, nint context)
    {
        SpiceLoop loop = s_current!;
        loop._watches.Add(++loop._lastHandle, new Watch(fd, function, context) { Mask = MaskOf(mask) });
        return loop._lastHandle;
    }

    [UnmanagedCallersOnly]
    private static void WatchUpdateMask(nint handle, int mask)
    {
        if (s_current!._watches.TryGetValue(handle, out Watch? watch))
        {
            watch.Mask = MaskOf(mask);
        }
    }

    [UnmanagedCallersOnly]
    private static void WatchRemove(nint handle)
    {
        if (s_current!._watches.Remove(handle, out Watch? watch))
        {
            watch.Forget();
        }
    }

    [UnmanagedCallersOnly]
    private static nint TimerAdd(delegate* unmanaged<nint, void> function, nint context)
    {
        SpiceLoop loop = s_current!;
        loop._timers.Add(++loop._lastHandle, new Timer(function, context));
        return loop._lastHandle;
    }

    [UnmanagedCallersOnly]
    private static void TimerStart(nint handle, uint milliseconds)
    {
        if (s_current!._timers.TryGetValue(handle, out Timer? timer))
        {
            timer.Due = Environment.TickCount64 + milliseconds;
        }
    }

    [UnmanagedCallersOnly]
    private static void TimerCancel(nint handle)
    {
        if (s_current!._timers.TryGetValue(handle, out Timer? timer))
        {
            timer.Due = long.MaxValue;
        }
    }

    [UnmanagedCallersOnly]
    private static void TimerRemove(nint handle)
    {
        if (s_current!._timers.Remove(handle, out Timer? timer))
        {
            timer.Due = long.MaxValue;
        }
    }

    [UnmanagedCallersOnly]
    private static void ChannelEvent(int what, SpiceChannelEventInfo* info) => s_current!.ChannelChanged?.Invoke(what, info->Type);

    private static PollEvents MaskOf(int mask) =>
        ((mask & SPICE_WATCH_EVENT_READ) != 0 ? PollEvents.POLLIN : PollEvents.None)
        | ((mask & SPICE_WATCH_EVENT_WRITE) != 0 ? PollEvents.POLLOUT : PollEvents.None);

    private sealed class Watch(int fd, delegate* unmanaged<int, int, nint, void> function, nint context)
    {
        internal int Fd { get; } = fd;

        // The library's own: never closed here.
        internal FileDescriptor Descriptor { get; } = new(fd);

        internal delegate* unmanaged<int, int, nint, void> Function { get; } = function;

        internal nint Context { get; } = context;

        internal PollEvents Mask { get; set; }

        internal bool IsRemoved { get; private set; }

        internal void Forget()
        {
            IsRemoved = true;
            Descriptor.SetHandleAsInvalid();
            Descriptor.Dispose();
        }
    }

    private sealed class Timer(delegate* unmanaged<nint, void> function, nint context)
    {
        internal delegate* unmanaged<nint, void> Function { get; } = function;

        internal nint Context { get; } = context;

        internal long Due { get; set; } = long.MaxValue;
    }
}
