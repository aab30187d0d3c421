using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

/// <summary>One function of an <see cref="InstanceRecord"/>: where its VMM connects, and what it has of it. Not thread-safe.</summary>
internal sealed class FunctionRecord(string name, FileDescriptor listener) : IDisposable
{
    /// <summary>See <see cref="InstanceFunctions.Names"/>.</summary>
    internal string Name => name;

    internal FileDescriptor Listener => listener;

    internal KeptClient? Client { get; private set; }

    /// <summary>The memory file of its connection's journal.</summary>
    internal string JournalFile => FileOf(ServeRequest.JournalFile);

    /// <summary>The memory file of its device's checkpoint.</summary>
    internal string CheckpointFile => FileOf(ServeRequest.CheckpointFile);

    /// <summary>The client, of whom something is said. Throws <see cref="InvalidDataException"/> where there is none.</summary>
    internal KeptClient Current => Client ?? throw new InvalidDataException("something of a client that is not there");

    /// <summary>Takes ownership of another client's socket.</summary>
    internal void SetClient(FileDescriptor socket)
    {
        DropClient();
        Client = new KeptClient(socket);
    }

    internal void DropClient()
    {
        Client?.Dispose();
        Client = null;
    }

    public void Dispose()
    {
        listener.Dispose();
        DropClient();
    }

    private string FileOf(string what) => name.Length == 0 ? what : $"{name}-{what}";
}
