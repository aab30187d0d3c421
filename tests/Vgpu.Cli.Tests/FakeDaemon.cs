using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Control;
using Vgpu.Testing;

namespace Vgpu.Cli.Tests;

/// <summary>The control API over a fake bus, in this process, for commands in theirs.</summary>
public sealed class FakeDaemon : IDisposable
{
    private readonly Folder _folder = new();
    private readonly ControlServer _server;

    public FakeDaemon()
    {
        Bus = new FakeBus { RunFolder = _folder["run"] };
        _server = new ControlServer(Bus, ControlSockets.Listen(Path.GetDirectoryName(Socket)!), new ListLogger(), viewers: _ => Viewers);
        _server.Start();
    }

    public FakeBus Bus { get; }

    /// <summary>Where every screen can be seen; null: nowhere.</summary>
    public ViewerAddresses? Viewers { get; set; }

    public string Socket => _folder[DaemonPaths.Socket];

    public string this[string name] => _folder[name];

    /// <summary>A command that asks this daemon.</summary>
    public Outcome Run(params string[] words) => Cli.Run([.. words, "--socket", Socket]);

    /// <summary>An instance by this name and a UUID that is always the same, running.</summary>
    public InstanceView Make(string name) =>
        Bus.Create(new CreateRequest { Parent = "software0", Type = "virtio-gpu-256m", Name = name, Uuid = new Guid("11111111-2222-3333-4444-555555555555") });

    /// <summary>Ends it, as a daemon ends.</summary>
    public void End() => _server.Dispose();

    public void Dispose()
    {
        End();
        _folder.Dispose();
    }
}
