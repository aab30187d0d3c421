using System.Globalization;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Tells a worker that stands still (SIGSTOP, a loop without end) from one that has nothing to do at one function: by what lies unread in
/// the sockets that the daemon holds as well, by how far the journal says it is, and by the kernel's word for a stopped
/// process. Looked at a few times a second; the numbers in a journal are the worker's, and only its own end follows from them.
/// </summary>
internal sealed class StallWatch(int function) : IDisposable
{
    private FileDescriptor? _file;
    private ConnectionJournal? _journal;
    private ulong _handled;
    private long? _since;

    /// <summary>Whether the worker has been standing still for longer than <paramref name="limit"/>.</summary>
    internal bool Look(InstanceRecord record, int pid, TimeSpan limit)
    {
        long now = Environment.TickCount64;
        if (!IsStill(record, pid))
        {
            _since = null;
            return false;
        }

        _since ??= now;
        return now - _since >= limit.TotalMilliseconds;
    }

    public void Dispose()
    {
        _journal?.Dispose();
        _journal = null;
    }

    private bool IsStill(InstanceRecord record, int pid)
    {
        FunctionRecord served = record.Functions[function];
        if (served.Client is not { } client)
        {
            // A client that connects is accepted at once.
            var listening = new PollSet();
            listening.Add(served.Listener, PollEvents.POLLIN);
            return listening.Wait(0);
        }

        if (IsStopped(pid))
        {
            return true;
        }

        if (Journal(record, served.JournalFile) is not { } journal)
        {
            return false;
        }

        ulong handled = journal.Handled;
        bool moved = handled != _handled;
        _handled = handled;

        // What is handled may still lie in the socket until it is consumed.
        long unread = UnixSocket.UnreadOf(client.Socket) - (long)(handled - journal.Consumed);
        return !moved && unread > 0;
    }

    private ConnectionJournal? Journal(InstanceRecord record, string name)
    {
        if (!record.Files.TryGetValue(name, out FileDescriptor? file))
        {
            return null;
        }

        if (!ReferenceEquals(file, _file))
        {
            _journal?.Dispose();
            _journal = new ConnectionJournal(file);
            _file = file;
        }

        return _journal;
    }

    // State T of proc_pid_stat(5), after the name, which may hold anything.
    private static bool IsStopped(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            int name = stat.LastIndexOf(')');
            return name >= 0 && stat.AsSpan(name).StartsWith(") T");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
