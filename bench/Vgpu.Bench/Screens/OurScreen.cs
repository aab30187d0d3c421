using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Vgpu.Api;
using Vgpu.Testing;

namespace Vgpu.Bench.Screens;

/// <summary>A vGPU of a daemon's own, as anybody has it: its worker, and the viewers' process, which viewers connect to.</summary>
internal sealed class OurScreen : VirtioScreen
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly BenchDaemon _daemon;

    internal OurScreen(string program)
    {
        _daemon = new BenchDaemon(program);
        Instance made = _daemon.Client.Create(new CreateBody { Parent = "software0", Type = "virtio-gpu-64m", Name = "screens" });
        Plug(Connect(made.Paths!.Socket), Connect($"{made.Paths!.Socket}.keyboard"));
        (string socket, Password) = Viewers();
        Address = new UnixDomainSocketEndPoint(socket);
        Processes = [.. ChildrenOf(_daemon.Pid).Append(_daemon.Pid).Append(_daemon.Client.Find("screens").Worker!.Pid).Distinct()];
    }

    public override string Name => "ours";

    public override EndPoint Address { get; }

    public override string? Password { get; }

    /// <summary>The daemon, the worker, the viewers' process and a spare worker.</summary>
    public override IReadOnlyList<int> Processes { get; }

    protected override void Unplugged() => _daemon.Dispose();

    private RemoteDevice Connect(string socket)
    {
        var device = new RemoteDevice(socket);
        device.Map(Guest);
        return device;
    }

    // The viewers' process comes up beside the daemon.
    private (string Socket, string? Password) Viewers()
    {
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < s_patience; Pause.For(TimeSpan.FromMilliseconds(100)))
        {
            try
            {
                ViewerAddresses shown = _daemon.Client.Viewers("screens");
                if (shown.VncSocket is string path && File.Exists(path))
                {
                    return (path, shown.VncPassword);
                }
            }
            catch (ApiException)
            {
            }
        }

        throw new BenchmarkException("nobody shows the vGPU's screen; try it by hand: ./vgpu view");
    }

    private static IEnumerable<int> ChildrenOf(int pid)
    {
        string[] tasks = Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"));
        foreach (string word in tasks.SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            int child = int.Parse(word, CultureInfo.InvariantCulture);
            yield return child;
            foreach (int grandchild in ChildrenOf(child))
            {
                yield return grandchild;
            }
        }
    }
}
