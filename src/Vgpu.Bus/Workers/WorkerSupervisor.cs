using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>
/// The thread that keeps workers and what they serve together: it accepts them, mirrors what they tell, puts another in the
/// place of one that dies, and carries the bus's orders out. Everything of it belongs to that thread but
/// <see cref="Post"/>; it waits for no process.
/// </summary>
internal sealed partial class WorkerSupervisor : IDisposable
{
    private const int LookMilliseconds = 250;
    private const int Backlog = 256;

    // What a worker gets to hand over or to end by itself.
    private const int PartingMilliseconds = 2000;

    private readonly WorkerHostOptions _options;
    private readonly ConcurrentDictionary<Guid, ServedInstance> _instances;
    private readonly ILogger _log;
    private readonly ConcurrentQueue<Action> _orders = new();
    private readonly EventFd _wake = EventFd.Create();
    private readonly PollSet _poll = new();
    private readonly List<WorkerLink> _links = [];
    private readonly WorkerList _list;
    private readonly UnixSocket _listener;
    private readonly Thread _thread;
    private volatile bool _stopping;
    private long _lookAgain;

    internal WorkerSupervisor(WorkerHostOptions options, ConcurrentDictionary<Guid, ServedInstance> instances, ILogger log)
    {
        _options = options;
        _list = new WorkerList(options.RunFolder);
        _instances = instances;
        _log = log;
        Shares = new ParentShares(options.Renders, log);
        try
        {
            _listener = UnixSocket.Listen(options.WorkersSocket, Backlog, UnixSocketKind.SOCK_SEQPACKET);
        }
        catch (LinuxException e)
        {
            _wake.Dispose();
            throw new BusException(BusError.Failed, $"can't listen for workers: {e.Message}; is {options.RunFolder} there, writable, and no other daemon's?", e);
        }

        _thread = new Thread(Run) { Name = "workers", IsBackground = true };
    }

    /// <summary>Who has how much of the parents' GPUs.</summary>
    internal ParentShares Shares { get; }

    /// <summary>On the supervisor's thread; must not wait.</summary>
    internal event Action<WorkerEvent>? Reported;

    internal void Start() => _thread.Start();

    /// <summary>Has the thread do something. Any thread.</summary>
    internal void Post(Action order)
    {
        _orders.Enqueue(order);
        _wake.Signal();
    }

    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _wake.Signal();
        _thread.Join();
        _listener.Unlink();
        _listener.Dispose();
        _wake.Dispose();
        foreach (WorkerLink link in _links)
        {
            link.Dispose();
        }

        foreach (ServedInstance instance in _instances.Values)
        {
            instance.Fail(new BusException(BusError.Failed, "the daemon is ending"));
            instance.Release();
        }

        Shares.Dispose();
    }

    private void Run()
    {
        while (!_stopping)
        {
            try
            {
                Turn();
            }
#pragma warning disable CA1031 // The daemon's other vGPUs need this thread, whatever one of them has brought about.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _log.TurnFailed(e);
            }
        }
    }

    private void Turn()
    {
        _poll.Clear();
        _poll.Add(_wake.Descriptor, PollEvents.POLLIN);
        _poll.Add(_listener.Descriptor, Environment.TickCount64 < _acceptAgain ? PollEvents.None : PollEvents.POLLIN);
        WorkerLink[] links = [.. _links];
        foreach (WorkerLink link in links)
        {
            _poll.Add(link.IsSilent ? link.Process.Descriptor : link.Channel.Descriptor, link.AwaitsAdoption && !link.IsSilent ? PollEvents.None : PollEvents.POLLIN);
        }

        _poll.Wait(MillisecondsToNext());
        _wake.Take();
        for (int i = 0; i < links.Length; i++)
        {
            if (_poll.Ready(i + 2) != PollEvents.None)
            {
                Attend(links[i]);
            }
        }

        if (_poll.Ready(1) != PollEvents.None)
        {
            Accept();
        }

        while (_orders.TryDequeue(out Action? order))
        {
            order();
        }

        _links.RemoveAll(link => link.IsSilent && link.Process.HasEnded && Bury(link));
        Look();
        Provide();
    }

    private int MillisecondsToNext()
    {
        bool waits = _adoption is not null || _waiting.Count > 0 || _spawnAgain > 0 || _acceptsFail;
        bool watches = waits || _links.Exists(link => link.IsSilent || link.Instance is not null || !link.IsKnown);
        return watches ? LookMilliseconds : -1;
    }

    // What time alone brings about.
    private void Look()
    {
        long now = Environment.TickCount64;
        if (now < _lookAgain)
        {
            return;
        }

        _lookAgain = now + LookMilliseconds;
        LookForAdopted(now);
        foreach (WorkerLink link in _links)
        {
            if (!link.IsEnding && now - link.LeftAt > PartingMilliseconds)
            {
                _log.WorkerUnexpected(link.Process.Pid);
                Kill(link);
            }

            if (link.IsSilent || link.Instance is not { } instance)
            {
                continue;
            }

            bool stalled = instance.Phase switch
            {
                ServedPhase.Serving => instance.IsStalled(link.Process.Pid, _options.StallTimeout),
                ServedPhase.Starting => now - instance.Since > _options.StartTimeout.TotalMilliseconds,
                _ => now - instance.Since > PartingMilliseconds,
            };
            if (stalled)
            {
                _log.WorkerStalled(link.Process.Pid, instance.Record.Definition.Name);
                Kill(link);
            }
        }
    }

    private void Tell(ServedInstance instance, WorkerEventKind kind, string detail) =>
        Reported?.Invoke(new WorkerEvent(instance.Record.Definition.Uuid, kind, detail));
}
