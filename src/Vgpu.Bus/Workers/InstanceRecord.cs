using System.Runtime.InteropServices;
using System.Text;
using Vgpu.Linux;
using Vgpu.VfioUser;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Everything with which a process can go on serving an instance: its definition, its listeners, the memory files of its
/// device, its client. The worker and the daemon each keep one, and tell each other of every change; whichever of the two
/// dies, the other has it all. Not thread-safe. Owns its descriptors.
/// </summary>
internal sealed class InstanceRecord(InstanceDefinition definition, FileDescriptor listener, FileDescriptor screen) : IDisposable
{
    /// <summary>The file of a device's whole state, while it moves to a successor.</summary>
    internal const string StateFile = "state";

    private const int MaxFiles = 32;
    private const int MaxNameLength = 64;

    internal InstanceDefinition Definition { get; set; } = definition;

    /// <summary>Where the VMM connects.</summary>
    internal FileDescriptor Listener { get; } = listener;

    /// <summary>Where viewers connect.</summary>
    internal FileDescriptor ScreenListener { get; } = screen;

    /// <summary>Memory files by name.</summary>
    internal Dictionary<string, FileDescriptor> Files { get; } = new(StringComparer.Ordinal);

    internal KeptClient? Client { get; private set; }

    /// <summary>The record that an Instance message begins. Throws <see cref="InvalidDataException"/>.</summary>
    internal static InstanceRecord Begin(WorkerMessage message)
    {
        InstanceDefinition definition = InstanceText.Parse(message.Payload);
        Require(message.DescriptorCount == 2, "an instance has two listeners");
        return new InstanceRecord(definition, message.Take(0), message.Take(1));
    }

    /// <summary>
    /// Takes a change that the other side tells of; false for a message that is none. What comes may come from a worker that
    /// its guest has taken over: throws <see cref="InvalidDataException"/>.
    /// </summary>
    internal bool Apply(WorkerMessage message)
    {
        switch (message.Kind)
        {
            case WorkerMessageKind.File:
                string name = Encoding.UTF8.GetString(message.Payload);
                Require(name.Length is > 0 and <= MaxNameLength && (Files.Count < MaxFiles || Files.ContainsKey(name)), "a file too many");
                Replace(name, message.Take(0));
                return true;
            case WorkerMessageKind.Client:
                Client?.Dispose();
                Client = new KeptClient(message.Take(0));
                return true;
            case WorkerMessageKind.Map:
                KeptMap map = Read<KeptMap>(message.Payload, out _);
                using (FileDescriptor? file = message.DescriptorCount == 0 ? null : message.Take(0))
                {
                    Current.Map(map, file);
                }

                return true;
            case WorkerMessageKind.Unmap:
                KeptMap gone = Read<KeptMap>(message.Payload, out _);
                Current.Unmap(gone.Iova, gone.Size);
                return true;
            case WorkerMessageKind.UnmapAll:
                Current.UnmapAll();
                return true;
            case WorkerMessageKind.Irqs:
                ApplyIrqs(message);
                return true;
            case WorkerMessageKind.ClientGone:
                DropClient();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Another client, whose socket is duplicated.</summary>
    internal void SetClient(FileDescriptor socket)
    {
        Client?.Dispose();
        Client = new KeptClient(socket.Duplicate());
    }

    internal void DropClient()
    {
        Client?.Dispose();
        Client = null;
    }

    /// <summary>Takes ownership of a memory file.</summary>
    internal void Replace(string name, FileDescriptor file)
    {
        Remove(name);
        Files[name] = file;
    }

    internal void Remove(string name)
    {
        if (Files.Remove(name, out FileDescriptor? old))
        {
            old.Dispose();
        }
    }

    /// <summary>Tells the other side all of it; false where it does not listen.</summary>
    internal bool SendTo(WorkerChannel channel)
    {
        channel.BePatient();
        bool sent = channel.SendPatiently(WorkerMessageKind.Instance, InstanceText.Format(Definition), Listener, ScreenListener);
        foreach ((string name, FileDescriptor file) in Files)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.File, Encoding.UTF8.GetBytes(name), file);
        }

        return sent && (Client is null || SendClient(channel, Client));
    }

    public void Dispose()
    {
        Listener.Dispose();
        ScreenListener.Dispose();
        foreach (FileDescriptor file in Files.Values)
        {
            file.Dispose();
        }

        Files.Clear();
        DropClient();
    }

    internal static ReadOnlySpan<byte> Bytes<T>(in T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));

    private KeptClient Current => Client ?? throw new InvalidDataException("something of a client that is not there");

    private static bool SendClient(WorkerChannel channel, KeptClient client)
    {
        bool sent = channel.SendPatiently(WorkerMessageKind.Client, default, client.Socket);
        foreach ((KeptMap map, FileDescriptor? file) in client.Maps)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.Map, Bytes(map), file is null ? [] : [file]);
        }

        foreach ((KeptIrqs irqs, FileDescriptor? eventfd) in client.Irqs)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.Irqs, Bytes(irqs), eventfd is null ? [] : [eventfd]);
        }

        return sent;
    }

    private void ApplyIrqs(WorkerMessage message)
    {
        KeptIrqs irqs = Read<KeptIrqs>(message.Payload, out ReadOnlySpan<byte> bools);
        var eventfds = new FileDescriptor[message.DescriptorCount];
        try
        {
            for (int i = 0; i < eventfds.Length; i++)
            {
                eventfds[i] = message.Take(i);
            }

            Current.SetIrqs(irqs, bools, eventfds);
        }
        finally
        {
            foreach (FileDescriptor? eventfd in eventfds)
            {
                eventfd?.Dispose();
            }
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> rest)
        where T : unmanaged
    {
        Require(MemoryMarshal.TryRead(payload, out T value), "a message is too short");
        rest = payload[Marshal.SizeOf<T>()..];
        return value;
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException(what);
        }
    }
}
