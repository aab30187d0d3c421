using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Bus;
using Vgpu.Bus.Workers;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser;

namespace Vgpu.Cli.Workers;

/// <summary>
/// A worker that waits for work goes through it once, with a client of its own, and takes itself over: what is run for the
/// first time costs milliseconds here, which a VM whose worker has died would wait for.
/// </summary>
internal sealed class Rehearsal : IMemoryFiles, IDisposable
{
    private readonly Dictionary<string, FileDescriptor> _files = new(StringComparer.Ordinal);
    private readonly ClientRecord _client = new();
    private readonly List<UnixSocket> _idle = [];
    private readonly string _type;

    private Rehearsal(string type) => _type = type;

    /// <summary>Stops early when <paramref name="isWanted"/> says that somebody waits.</summary>
    internal static void Run(Func<bool> isWanted)
    {
        foreach (string type in (string[])["virtio-gpu", "bochs-display"])
        {
            if (isWanted())
            {
                return;
            }

            using var rehearsal = new Rehearsal(type);
            rehearsal.Play(isWanted);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _idle.ForEach(socket => socket.Dispose());
        foreach (FileDescriptor file in _files.Values)
        {
            file.Dispose();
        }
    }

    FileDescriptor IMemoryFiles.Open(string name, ulong size) => Keep(name, _ => true, () => MemFd.Create($"rehearsal-{name}", size));

    private FileDescriptor Keep(string name, Func<FileDescriptor, bool> suits, Func<FileDescriptor> make)
    {
        if (!_files.TryGetValue(name, out FileDescriptor? file) || !suits(file))
        {
            _files[name] = file = make();
        }

        return file.Duplicate();
    }

    private void Play(Func<bool> isWanted)
    {
        (UnixSocket served, UnixSocket connected) = UnixSocket.Pair();
        using var vmm = new RehearsalVmm(new VfioUserClient(connected));
        using (served)
        using (FileDescriptor file = Keep(ServeRequest.JournalFile, _ => true, ConnectionJournal.CreateFile))
        using (var journal = new ConnectionJournal(file))
        {
            journal.Begin();
            _client.ClientAccepted(served.Descriptor);
        }

        using (WorkerVgpu first = Serve(ServeMode.Reset))
        {
            vmm.Begin();
            vmm.Draw();
            _ = first.Status;
            first.Yield()?.Dispose();
        }

        if (isWanted())
        {
            return;
        }

        using WorkerVgpu second = Serve(ServeMode.Restore);
        vmm.Draw();
    }

    private WorkerVgpu Serve(ServeMode mode)
    {
        var request = new ServeRequest
        {
            Definition = new InstanceDefinition { Uuid = Guid.NewGuid(), Name = "rehearsal", Parent = "rehearsal", Type = _type },
            Mode = mode,
            Functions = [.. InstanceFunctions.Names.Select(Function)],
            ScreenListener = NobodyConnects(),
            Files = this,
            Keep = Keep,
            Report = (_, _) => { },
        };
        return new WorkerVgpu(request, NullLogger.Instance);
    }

    private FunctionRequest Function(string name, int number) => new()
    {
        Name = name,
        Listener = NobodyConnects(),
        Keeper = _client,
        Client = number == InstanceFunctions.Gpu ? _client.Client : null,
        JournalFile = name + ServeRequest.JournalFile,
        CheckpointFile = name + ServeRequest.CheckpointFile,
    };

    // All that is done with a listener here is to wait for it.
    private FileDescriptor NobodyConnects()
    {
        (UnixSocket one, UnixSocket other) = UnixSocket.Pair();
        _idle.Add(other);
        return one.Descriptor;
    }
}
