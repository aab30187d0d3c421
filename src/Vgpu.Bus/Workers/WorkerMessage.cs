// What a daemon and its workers say to each other: one packet a message, its kind in the first byte.
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>The kinds of messages; what follows the kind is said at each.</summary>
internal enum WorkerMessageKind : byte
{
    /// <summary>Worker, first of all: <see cref="WorkerHello"/>.</summary>
    Hello = 1,

    /// <summary>Worker: it accepts clients, or has taken the client over.</summary>
    Served,

    /// <summary>Worker: it can't serve this; a line for the operator (UTF-8).</summary>
    Refused,

    /// <summary>Worker: <see cref="WorkerStatusText"/>.</summary>
    Status,

    /// <summary>Worker: a <see cref="WorkerEventKind"/> in a byte, then a line.</summary>
    Event,

    /// <summary>Worker: the device has stopped between two messages and its state is in the file <c>state</c>; it ends now.</summary>
    Yielded,

    /// <summary>Worker: the answer to Configure; empty: done; <see cref="WorkerChannel.NeedsAnother"/> alone, or why not: a <see cref="BusError"/> in a byte, then a line.</summary>
    Configured,

    /// <summary>Either, the first of an instance: <see cref="InstanceText"/>; descriptors: the screen's listener, then one a function.</summary>
    Instance,

    /// <summary>Either: the name of a memory file (UTF-8); its descriptor.</summary>
    File,

    /// <summary>Either: a function's number in a byte; its client's socket.</summary>
    Client,

    /// <summary>Either: a function, and a <see cref="VfioUser.KeptMap"/>; the file where there is one.</summary>
    Map,

    /// <summary>Worker: a function; address and size.</summary>
    Unmap,

    /// <summary>Worker: a function, of which nothing is mapped any more.</summary>
    UnmapAll,

    /// <summary>Either: a function, a <see cref="VfioUser.KeptIrqs"/>, then its bools; its eventfds.</summary>
    Irqs,

    /// <summary>Worker: a function, whose client and all of its things are gone.</summary>
    ClientGone,

    /// <summary>Daemon: serve what was told since Instance; a <see cref="ServeMode"/> in a byte, then the largest quota so far in eight.</summary>
    Serve,

    /// <summary>Daemon: the definition as it is from now on (<see cref="InstanceText"/>).</summary>
    Configure,

    /// <summary>Daemon: stop between two messages and hand the state over.</summary>
    Yield,

    /// <summary>Daemon: close the client's connection and end.</summary>
    Stop,
}

/// <summary>How a worker begins with what it is given.</summary>
public enum ServeMode : byte
{
    /// <summary>As new.</summary>
    Fresh,

    /// <summary>With the state of the checkpoint that its predecessor kept.</summary>
    Restore,

    /// <summary>With the client as it is and the device as after a reset: what was restored has ended workers before.</summary>
    Reset,

    /// <summary>With the state that its predecessor saved whole.</summary>
    Load,
}

/// <summary>One message as it came. Owns its descriptors but those that were taken.</summary>
internal sealed class WorkerMessage(WorkerMessageKind kind, byte[] payload, FileDescriptor[] descriptors) : IDisposable
{
    private readonly FileDescriptor?[] _descriptors = descriptors;

    internal WorkerMessageKind Kind { get; } = kind;

    /// <summary>What follows the kind.</summary>
    internal ReadOnlySpan<byte> Payload => payload;

    internal int DescriptorCount => _descriptors.Length;

    /// <summary>Hands a descriptor over to the caller. Throws <see cref="InvalidDataException"/> where it did not come.</summary>
    internal FileDescriptor Take(int index)
    {
        if (index >= _descriptors.Length || _descriptors[index] is not { } descriptor)
        {
            throw new InvalidDataException($"{Kind} came without its descriptor");
        }

        _descriptors[index] = null;
        return descriptor;
    }

    public void Dispose()
    {
        foreach (FileDescriptor? descriptor in _descriptors)
        {
            descriptor?.Dispose();
        }
    }
}
