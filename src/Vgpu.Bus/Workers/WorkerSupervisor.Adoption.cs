// Workers that an earlier daemon has left: they find the new one, and tell all that it needs.
namespace Vgpu.Bus.Workers;

internal sealed partial class WorkerSupervisor
{
    private Adoption? _adoption;
    private bool _hasAdopted;

    /// <summary>Waits until each worker that there is has told what it serves, or the time is over; then ends those that nobody expects.</summary>
    internal void Adopt(IReadOnlyCollection<Guid> expected, TimeSpan timeout, TaskCompletionSource<IReadOnlySet<Guid>> found)
    {
        HashSet<int> pids = [.. _list.Living()];
        foreach (int pid in pids)
        {
            using Linux.PidFd? process = Linux.PidFd.Open(pid);
            process?.Continue();
        }

        _adoption = new Adoption([.. expected], pids, Environment.TickCount64 + (long)timeout.TotalMilliseconds, found);
        foreach (WorkerLink link in _links.Where(link => link.Told is not null && link.HasToldAll).ToArray())
        {
            Recognize(link);
        }

        LookForAdopted(Environment.TickCount64);
    }

    // A worker has told everything of the instance that it serves.
    private void Recognize(WorkerLink link)
    {
        link.HasToldAll = true;
        if (_adoption is null && !_hasAdopted)
        {
            return;
        }

        InstanceRecord told = link.Told!;
        Guid uuid = told.Definition.Uuid;
        if (_instances.TryGetValue(uuid, out ServedInstance? known))
        {
            Return(link, known);
            return;
        }

        if (_adoption is null || !_adoption.Expected.Contains(uuid))
        {
            _log.WorkerUnexpected(link.Process.Pid);
            Kill(link);
            return;
        }

        link.Told = null;
        var instance = new ServedInstance(told, InstanceSockets.Paths(_options.RunFolder, uuid)) { Phase = ServedPhase.Serving, Link = link, Status = link.ToldStatus };
        link.Instance = instance;
        instance.FollowMeter();
        Shares.Adopt(told);
        _instances[uuid] = instance;
        _adoption.Found.Add(uuid);
        _log.WorkerAdopted(link.Process.Pid, told.Definition.Name);
    }

    // The same worker with a new channel: it left the old one because this daemon did not read for long.
    private void Return(WorkerLink link, ServedInstance known)
    {
        if (known.Phase != ServedPhase.Serving || known.Link is not { IsEnding: false } former || former.Process.Pid != link.Process.Pid)
        {
            _log.WorkerUnexpected(link.Process.Pid);
            Kill(link);
            return;
        }

        former.Instance = null;
        _links.Remove(former);
        former.Dispose();
        InstanceRecord told = link.Told!;
        link.Told = null;
        known.Adopt(told);
        known.Status = link.ToldStatus is { } status ? status with { Successions = known.Successions } : known.Status;
        (link.Instance, known.Link) = (known, link);
        _log.WorkerReturned(link.Process.Pid, known.Record.Definition.Name);
    }

    private void LookForAdopted(long now)
    {
        if (_adoption is not { } adoption)
        {
            return;
        }

        adoption.Pids.RemoveWhere(pid => _links.Exists(link => link.Process.Pid == pid && (link.HasToldAll || link.IsEnding || link.Instance is not null)));
        adoption.Pids.RemoveWhere(HasEnded);
        if (adoption.Pids.Count > 0 && now < adoption.Deadline)
        {
            return;
        }

        // Whoever has not come by now would serve without anybody's knowledge.
        foreach (int pid in adoption.Pids)
        {
            using Linux.PidFd? process = Linux.PidFd.Open(pid);
            _log.WorkerUnexpected(pid);
            process?.Kill();
        }

        InstanceSockets.RemoveLeftovers(_options.RunFolder, _instances.ContainsKey);
        Shares.Sweep(_instances.ContainsKey);
        _adoption = null;
        _hasAdopted = true;
        adoption.Result.TrySetResult(adoption.Found);
    }

    private static bool HasEnded(int pid)
    {
        using Linux.PidFd? process = Linux.PidFd.Open(pid);
        return process?.HasEnded ?? true;
    }

    private sealed record Adoption(HashSet<Guid> Expected, HashSet<int> Pids, long Deadline, TaskCompletionSource<IReadOnlySet<Guid>> Result)
    {
        internal HashSet<Guid> Found { get; } = [];
    }
}
