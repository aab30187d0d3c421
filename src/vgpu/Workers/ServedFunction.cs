using Microsoft.Extensions.Logging;
using Vgpu.Bus.Workers;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser;

namespace Vgpu.Cli.Workers;

/// <summary>One PCI function in a worker: its connection, with what a successor goes on with. The device stays the caller's.</summary>
internal sealed class ServedFunction : IDisposable
{
    private readonly FunctionRequest _request;
    private readonly ConnectionJournal _journal;
    private readonly DeviceCheckpoint _checkpoint;

    /// <summary>Serves nobody yet.</summary>
    internal ServedFunction(ServeRequest instance, FunctionRequest request, VfioDevice device, string name, ILogger log)
    {
        _request = request;
        Device = device;
        using (FileDescriptor file = instance.Keep(request.JournalFile, _ => true, ConnectionJournal.CreateFile))
        {
            _journal = new ConnectionJournal(file);
        }

        long room = Math.Max(device.CheckpointSize, DeviceCheckpoint.DefaultMaxStateLength);
        using (FileDescriptor file = instance.Keep(request.CheckpointFile, _ => true, () => DeviceCheckpoint.CreateFile("vgpu-checkpoint", room)))
        {
            _checkpoint = new DeviceCheckpoint(file);
        }

        device.Checkpoint = _checkpoint;
        Server = new VfioUserServer("vfio-user", device, log, new VfioUserServerOptions { Name = name, Keeper = request.Keeper, Journal = _journal });
    }

    internal VfioDevice Device { get; }

    internal VfioUserServer Server { get; }

    /// <summary>Goes on with the client that there is, after <paramref name="restore"/> has given the device its state; then listens.</summary>
    internal void Start(Action<VfioDevice> restore)
    {
        if (_request.Client is { } client)
        {
            Server.Resume(client, () => restore(Device));
        }

        Server.Start(new UnixSocket(_request.Listener));
    }

    public void Dispose()
    {
        Server.Dispose();
        _checkpoint.Dispose();
        _journal.Dispose();
    }
}
