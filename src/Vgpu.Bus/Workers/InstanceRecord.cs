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
internal sealed class InstanceRecord(InstanceDefinition definition, FileDescriptor screen, IReadOnlyList<FileDescriptor> listeners) : IDisposable
{
    /// <summary>The file of a device's whole state, while it moves to a successor.</summary>
    internal const string StateFile = "state";

    private const int MaxFiles = 32;
    private const int MaxNameLength = 64;

    internal InstanceDefinition Definition { get; set; } = definition;

    /// <summary>By their numbers: <see cref="InstanceFunctions.Names"/>.</summary>
    internal IReadOnlyList<FunctionRecord> Functions { get; } = [.. listeners.Zip(InstanceFunctions.Names, (listener, name) => new FunctionRecord(name, listener))];

    /// <summary>Where viewers connect.</summary>
    internal FileDescriptor ScreenListener { get; } = screen;

    /// <summary>Memory files by name.</summary>
    internal Dictionary<string, FileDescriptor> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a VMM has any of it.</summary>
    internal bool HasClient => Functions.Any(function => function.Client is not null);

    /// <summary>The record that an Instance message begins. Throws <see cref="InvalidDataException"/>.</summary>
    internal static InstanceRecord Begin(WorkerMessage message)
    {
        InstanceDefinition definition = InstanceText.Parse(message.Payload);
        int functions = InstanceFunctions.Names.Count;
        Require(message.DescriptorCount == 1 + functions, $"an instance has {1 + functions} listeners");
        return new InstanceRecord(definition, message.Take(0), [.. Enumerable.Range(1, functions).Select(message.Take)]);
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
                FunctionOf(message, out _).SetClient(message.Take(0));
                return true;
            case WorkerMessageKind.Map:
                KeptClient mapped = FunctionOf(message, out ReadOnlySpan<byte> text).Current;
                KeptMap map = Read<KeptMap>(text, out _);
                using (FileDescriptor? file = message.DescriptorCount == 0 ? null : message.Take(0))
                {
                    mapped.Map(map, file);
                }

                return true;
            case WorkerMessageKind.Unmap:
                KeptClient unmapped = FunctionOf(message, out text).Current;
                KeptMap gone = Read<KeptMap>(text, out _);
                unmapped.Unmap(gone.Iova, gone.Size);
                return true;
            case WorkerMessageKind.UnmapAll:
                FunctionOf(message, out _).Current.UnmapAll();
                return true;
            case WorkerMessageKind.Irqs:
                ApplyIrqs(message);
                return true;
            case WorkerMessageKind.ClientGone:
                FunctionOf(message, out _).DropClient();
                return true;
            default:
                return false;
        }
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
        bool sent = channel.SendPatiently(WorkerMessageKind.Instance, InstanceText.Format(Definition), [ScreenListener, .. Functions.Select(function => function.Listener)]);
        foreach ((string name, FileDescriptor file) in Files)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.File, Encoding.UTF8.GetBytes(name), file);
        }

        for (int i = 0; i < Functions.Count; i++)
        {
            sent = sent && (Functions[i].Client is not { } client || SendClient(channel, (byte)i, client));
        }

        return sent;
    }

    public void Dispose()
    {
        foreach (FunctionRecord function in Functions)
        {
            function.Dispose();
        }

        ScreenListener.Dispose();
        foreach (FileDescriptor file in Files.Values)
        {
            file.Dispose();
        }

        Files.Clear();
    }

    internal static ReadOnlySpan<byte> Bytes<T>(in T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));

    private static bool SendClient(WorkerChannel channel, byte function, KeptClient client)
    {
        bool sent = channel.SendPatiently(WorkerMessageKind.Client, [function], client.Socket);
        foreach ((KeptMap map, FileDescriptor? file) in client.Maps)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.Map, [function, .. Bytes(map)], file is null ? [] : [file]);
        }

        foreach ((KeptIrqs irqs, FileDescriptor? eventfd) in client.Irqs)
        {
            sent = sent && channel.SendPatiently(WorkerMessageKind.Irqs, [function, .. Bytes(irqs)], eventfd is null ? [] : [eventfd]);
        }

        return sent;
    }

    private void ApplyIrqs(WorkerMessage message)
    {
        KeptClient client = FunctionOf(message, out ReadOnlySpan<byte> text).Current;
        KeptIrqs irqs = Read<KeptIrqs>(text, out ReadOnlySpan<byte> bools);
        var eventfds = new FileDescriptor[message.DescriptorCount];
        try
        {
            for (int i = 0; i < eventfds.Length; i++)
            {
                eventfds[i] = message.Take(i);
            }

            client.SetIrqs(irqs, bools, eventfds);
        }
        finally
        {
            foreach (FileDescriptor? eventfd in eventfds)
            {
                eventfd?.Dispose();
            }
        }
    }

    // Its number comes before all else that is said of a function.
    private FunctionRecord FunctionOf(WorkerMessage message, out ReadOnlySpan<byte> rest)
    {
        ReadOnlySpan<byte> payload = message.Payload;
        Require(payload.Length > 0 && payload[0] < Functions.Count, "it speaks of a function that there is not");
        rest = payload[1..];
        return Functions[payload[0]];
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
