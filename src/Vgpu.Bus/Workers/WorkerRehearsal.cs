using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

/// <summary>
/// A daemon and two workers, one after the other, for an instance that is nobody's: all in this process, by the same messages.
/// What is run for the first time costs milliseconds here, which a VM whose worker has died would wait for. One thread.
/// </summary>
public sealed class WorkerRehearsal : IDisposable
{
    private readonly InstanceRecord _record;
    private readonly ServeVgpu _serve;
    private readonly ILogger _log;
    private readonly List<UnixSocket> _silent = [];
    private WorkerChannel? _daemon;
    private WorkerAgent? _worker;

    /// <summary>Serves nobody yet.</summary>
    /// <param name="definition">Of an instance that no daemon knows.</param>
    /// <param name="client">The gpu's VMM, from its first message on; taken over.</param>
    /// <param name="serve">As for a worker.</param>
    /// <param name="log">The workers'.</param>
    public WorkerRehearsal(InstanceDefinition definition, UnixSocket client, ServeVgpu serve, ILogger log)
    {
        (_serve, _log) = (serve, log);
        _record = new InstanceRecord(definition, NobodyConnects(), [.. InstanceFunctions.Names.Select(_ => NobodyConnects())]);
        FunctionRecord gpu = _record.Functions[InstanceFunctions.Gpu];
        gpu.SetClient(client.Descriptor);
        FileDescriptor file = ConnectionJournal.CreateFile();
        using (var journal = new ConnectionJournal(file))
        {
            journal.Begin();
        }

        _record.Replace(gpu.JournalFile, file);
    }

    /// <summary>The first worker serves when it returns. Throws <see cref="BusException"/>.</summary>
    public void Begin() => Serve(ServeMode.Reset);

    /// <summary>Another worker takes over and serves when it returns. The client waits for no answer. Throws <see cref="BusException"/>.</summary>
    public void TakeOver()
    {
        _daemon!.TrySend(WorkerMessageKind.Yield);
        _worker!.Attend();
        Hear();
        EndWorker();
        Serve(ServeMode.Restore);
    }

    public void Dispose()
    {
        EndWorker();
        _record.Dispose();
        _silent.ForEach(socket => socket.Dispose());
    }

    private void Serve(ServeMode mode)
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair(UnixSocketKind.SOCK_SEQPACKET);
        _daemon = new WorkerChannel(ours);
        _worker = new WorkerAgent(new WorkerChannel(theirs), _serve, _log);
        _record.SendTo(_daemon);
        _daemon.TrySend(WorkerMessageKind.Serve, [(byte)mode, .. BitConverter.GetBytes(0UL)]);
        while (_worker.HasOrder && _worker.Attend())
        {
        }

        Hear();
    }

    // What the worker has told since.
    private void Hear()
    {
        while (_daemon!.WaitReadable(0) && _daemon.Receive() is { } message)
        {
            using (message)
            {
                if (message.Kind == WorkerMessageKind.Refused)
                {
                    throw new BusException(BusError.Failed, Encoding.UTF8.GetString(message.Payload));
                }

                _record.Apply(message);
            }
        }
    }

    private void EndWorker()
    {
        _worker?.Dispose();
        _daemon?.Dispose();
        (_worker, _daemon) = (null, null);
    }

    // All that is done with a listener here is to wait for it.
    private FileDescriptor NobodyConnects()
    {
        (UnixSocket one, UnixSocket other) = UnixSocket.Pair();
        _silent.Add(other);
        return one.Descriptor;
    }
}
