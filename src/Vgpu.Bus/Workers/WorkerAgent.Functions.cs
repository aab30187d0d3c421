// What a worker tells of each function's client.
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

public sealed partial class WorkerAgent
{
    /// <summary>Writes down what a function's connection tells, and tells the daemon. On that connection's thread.</summary>
    private sealed class FunctionKeeper(WorkerAgent agent, byte function) : IConnectionKeeper
    {
        public void ClientAccepted(FileDescriptor socket)
        {
            lock (agent._lock)
            {
                Record.SetClient(socket.Duplicate());
                agent.Tell(WorkerMessageKind.Client, [function], socket);
            }
        }

        public void DmaMapped(in KeptMap map, FileDescriptor? file)
        {
            lock (agent._lock)
            {
                Record.Client?.Map(map, file);
                agent.Tell(WorkerMessageKind.Map, [function, .. InstanceRecord.Bytes(map)], file is null ? [] : [file]);
            }
        }

        public void DmaUnmapped(ulong iova, ulong size)
        {
            lock (agent._lock)
            {
                Record.Client?.Unmap(iova, size);
                agent.Tell(WorkerMessageKind.Unmap, [function, .. InstanceRecord.Bytes(new KeptMap(iova, size, 0, default))]);
            }
        }

        public void DmaUnmappedAll()
        {
            lock (agent._lock)
            {
                Record.Client?.UnmapAll();
                agent.Tell(WorkerMessageKind.UnmapAll, [function]);
            }
        }

        public void IrqsSet(in KeptIrqs irqs, ReadOnlySpan<byte> bools, ReadOnlySpan<FileDescriptor> eventfds)
        {
            lock (agent._lock)
            {
                Record.Client?.SetIrqs(irqs, bools, eventfds);
                agent.Tell(WorkerMessageKind.Irqs, [function, .. InstanceRecord.Bytes(irqs), .. bools], eventfds);
            }
        }

        public void ClientGone()
        {
            lock (agent._lock)
            {
                Record.DropClient();
                agent.Tell(WorkerMessageKind.ClientGone, [function]);
            }
        }

        // Lock held.
        private FunctionRecord Record => agent._record!.Functions[function];
    }
}
