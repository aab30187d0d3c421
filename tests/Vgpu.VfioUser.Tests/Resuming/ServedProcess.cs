using System.Diagnostics;
using Vgpu.Linux;

namespace Vgpu.VfioUser.Tests.Resuming;

/// <summary>
/// A process that serves a <see cref="SteadyDevice"/> with a journal, to be killed: this very program, told by its environment
/// what to be. It waits for its descriptors, so that one can stand by.
/// </summary>
internal sealed class ServedProcess : IDisposable
{
    private const string Variable = "VGPU_TEST_SERVED_PROCESS";
    private readonly Process _process;
    private readonly KeeperWire _wire;

    /// <summary>Starts one that stands by.</summary>
    internal ServedProcess(UnixSocket listener, string path)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ServedProcess).Assembly.Location);
        }

        start.Environment[Variable] = path;
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(ServedProcess).Assembly.Location;
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TieredCompilation"] = "1";
        _process = Process.Start(start)!;
        _wire = new KeeperWire(listener.Accept()!);
    }

    /// <summary>Hands everything over; <paramref name="client"/> null: none is there yet.</summary>
    internal void Go(FileDescriptor journal, FileDescriptor state, FileDescriptor listener, KeptClient? client)
    {
        _wire.Send(new KeeperMessage { Word = KeeperWord.JournalFile }, journal);
        _wire.Send(new KeeperMessage { Word = KeeperWord.StateFile }, state);
        _wire.Send(new KeeperMessage { Word = KeeperWord.Listener }, listener);
        if (client is not null)
        {
            _wire.Tell(client);
        }

        _wire.Send(new KeeperMessage { Word = KeeperWord.Go });
    }

    /// <summary>Writes down what the process tells until it has ended.</summary>
    internal void Follow(ClientRecord record)
    {
        while (_wire.TryReceive(out KeeperMessage message, out FileDescriptor? descriptor))
        {
            KeeperWire.Apply(message, descriptor, record);
        }
    }

    internal void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _wire.Dispose();
    }

    /// <summary>In the process itself, before the test program begins.</summary>
    internal static void Begin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } path)
        {
            Serve(path);
            Environment.Exit(0);
        }
    }

    private static void Serve(string path)
    {
        using var wire = new KeeperWire(UnixSocket.Connect(path));
        using var record = new ClientRecord();
        FileDescriptor? journal = null, state = null, listener = null;
        while (true)
        {
            if (!wire.TryReceive(out KeeperMessage message, out FileDescriptor? descriptor))
            {
                return;
            }

            if (message.Word == KeeperWord.Go)
            {
                break;
            }

            _ = message.Word switch
            {
                KeeperWord.JournalFile => journal = descriptor,
                KeeperWord.StateFile => state = descriptor,
                KeeperWord.Listener => listener = descriptor,
                _ => null,
            };
            if (message.Word < KeeperWord.JournalFile)
            {
                KeeperWire.Apply(message, descriptor, record);
            }
        }

        using var device = new SteadyDevice(state!);
        using var mapped = new ConnectionJournal(journal!);
        using var server = new VfioUserServer("served", device, new StandardError(), new VfioUserServerOptions { Journal = mapped, Keeper = wire });
        if (record.Client is { } client)
        {
            server.Resume(client);
        }

        server.Start(new UnixSocket(listener!));

        // Until it is killed, or nobody is left who would.
        _ = wire.TryReceive(out _, out _);
    }
}
