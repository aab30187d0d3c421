// Worker processes: how they come, what they say, and how they end.
using System.Text;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

internal sealed partial class WorkerSupervisor
{
    // One worker at a time may say so much before the others have their turn.
    private const int MessagesATurn = 64;
    private const int AcceptPause = 1000;

    private long _acceptAgain;
    private bool _acceptsFail;

    private void Accept()
    {
        UnixSocket? socket = null;
        PeerCredentials peer;
        PidFd? process;
        try
        {
            socket = _listener.Accept();
            if (socket is null)
            {
                return;
            }

            peer = socket.Peer();
            process = peer.Uid == Accounts.OwnUid || peer.Uid == 0 ? PidFd.Open(peer.Pid) : null;
        }
        catch (LinuxException e)
        {
            // Out of descriptors: who is not accepted stays in the backlog, and the others come again.
            socket?.Dispose();
            _acceptAgain = Environment.TickCount64 + AcceptPause;
            if (!_acceptsFail)
            {
                _log.NotAccepted(e.Message);
            }

            _acceptsFail = true;
            return;
        }

        _acceptsFail = false;
        if (process is null)
        {
            socket.Dispose();
            return;
        }

        try
        {
            _list.Add(peer.Pid);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It serves all the same; only the next daemon will not know to wait for it.
            _log.SpawnFailed(e.Message);
        }

        _links.Add(new WorkerLink(new WorkerChannel(socket), process));
        Supersede(peer.Pid);
    }

    // A worker that found its channel full tells everything anew by another: what it told by the former one is of no use.
    private void Supersede(int pid)
    {
        WorkerLink last = _links.Last(link => link.Process.Pid == pid);
        foreach (WorkerLink former in _links.Where(link => link != last && link.Process.Pid == pid && link is { Instance: null, LeftAt: not null, IsEnding: false }).ToArray())
        {
            _links.Remove(former);
            former.Dispose();
        }
    }

    private void Attend(WorkerLink link)
    {
        for (int i = 0; i < MessagesATurn && !link.IsSilent && !link.AwaitsAdoption && link.Channel.WaitReadable(0); i++)
        {
            using WorkerMessage? message = link.Channel.Receive();
            if (message is null)
            {
                Leave(link);
                return;
            }

            HearSafely(link, message);
        }
    }

    private void Leave(WorkerLink link)
    {
        if (link is { Instance.Phase: ServedPhase.Serving } or { Instance: null, Told: not null })
        {
            link.LeftAt = Environment.TickCount64;
            Supersede(link.Process.Pid);
            return;
        }

        if (link is { Instance: null, Told: null })
        {
            // It has died of itself, and so may the next.
            _log.SpareDied(link.Process.Pid);
            _spawnAgain = Environment.TickCount64 + SpawnPause;
        }

        Kill(link);
    }

    private void HearSafely(WorkerLink link, WorkerMessage message)
    {
        try
        {
            Hear(link, message);
        }
        catch (Exception e) when (e is InvalidDataException or LinuxException)
        {
            _log.WorkerBroken(link.Process.Pid, e.Message);
            Kill(link);
        }
    }

    private void Hear(WorkerLink link, WorkerMessage message)
    {
        if (message.Kind == WorkerMessageKind.Hello)
        {
            WorkerHello hello = WorkerHello.Parse(message.Payload);
            Require(hello.Version == WorkerChannel.Version, "it is of another version");
            (link.IsKnown, link.IsWarm) = (true, hello.IsWarm);
            _starting = Math.Max(0, _starting - (hello.IsWarm ? 0 : 1));
            return;
        }

        Require(link.IsKnown, "it has not said who it is");
        if (link.Instance is { } instance)
        {
            Hear(link, instance, message);
        }
        else if (message.Kind == WorkerMessageKind.Instance)
        {
            Require(link.Told is null, "it serves two instances");
            link.Told = InstanceRecord.Begin(message);
        }
        else if (message.Kind == WorkerMessageKind.Status && link.Told is not null)
        {
            link.ToldStatus = WorkerStatusText.Parse(message.Payload, link.Process.Pid, successions: 0);
        }
        else if (message.Kind == WorkerMessageKind.Event && link.Told is not null)
        {
            // Nobody asks yet for what it serves: there is nobody to tell.
        }
        else if (message.Kind == WorkerMessageKind.Served && link.Told is not null)
        {
            Recognize(link);
        }
        else
        {
            Require(link.Told?.Apply(message) ?? false, "it speaks of an instance that it has not named");
        }
    }

    private void Hear(WorkerLink link, ServedInstance instance, WorkerMessage message)
    {
        switch (message.Kind)
        {
            case WorkerMessageKind.Served:
                BeginServing(link, instance);
                break;
            case WorkerMessageKind.Refused:
                Refuse(instance, Encoding.UTF8.GetString(message.Payload));
                link.Instance = null;
                Kill(link);
                break;
            case WorkerMessageKind.Status:
                instance.Status = WorkerStatusText.Parse(message.Payload, link.Process.Pid, instance.Successions);
                break;
            case WorkerMessageKind.Event:
                Require(message.Payload.Length > 0 && message.Payload[0] < (byte)WorkerEventKind.Failed, "an event of no kind");
                var kind = (WorkerEventKind)message.Payload[0];
                Tell(instance, kind, Encoding.UTF8.GetString(message.Payload[1..]));
                if (kind == WorkerEventKind.Hung)
                {
                    Kill(link);
                }

                break;
            case WorkerMessageKind.Configured:
                EndConfigure(instance, message.Payload);
                break;
            case WorkerMessageKind.Yielded:
                Require(instance.Phase == ServedPhase.Yielding, "it hands over unasked");
                instance.Mode = !instance.Record.HasClient ? ServeMode.Fresh : message.DescriptorCount > 0 ? ServeMode.Load : ServeMode.Restore;
                if (message.DescriptorCount > 0)
                {
                    instance.Record.Replace(InstanceRecord.StateFile, message.Take(0));
                }

                instance.HasYielded = true;
                Kill(link);
                break;
            default:
                Require(instance.Record.Apply(message), "a message that is the daemon's to send");
                break;
        }
    }

    // Its process may still be running, and must not do anything any more once another takes its place.
    private static void Kill(WorkerLink link)
    {
        link.IsEnding = true;
        link.Process.Kill();
    }

    // True: it is gone, and the instance knows.
    private bool Bury(WorkerLink link)
    {
        if (!link.IsKnown)
        {
            _starting = Math.Max(0, _starting - 1);
        }

        // What it said before it ended still counts.
        while (link.Instance is not null && link.Channel.WaitReadable(0) && link.Channel.Receive() is { } message)
        {
            using (message)
            {
                HearSafely(link, message);
            }
        }

        if (link.Instance is { } instance)
        {
            instance.Link = null;
            Lose(link, instance);
        }

        _list.Remove(link.Process.Pid);
        link.Dispose();
        return true;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException(what);
        }
    }
}
