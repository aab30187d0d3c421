using System.Net;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>Doors to desks, with processes that are this test assembly, and what is known of them.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class Lobby : IDisposable
{
    public const string Password = "open sesame, or an even longer one";

    private readonly SpiceDoors _doors;

    public Lobby(Func<SpiceDoorsOptions, SpiceDoorsOptions>? options = null)
    {
        var given = new SpiceDoorsOptions { Command = SpiceProcess.Command };
        _doors = new SpiceDoors(options?.Invoke(given) ?? given, Log);
    }

    public ListLogger Log { get; } = new();

    /// <summary>This process's, of which each serves one screen.</summary>
    public static IReadOnlyList<int> Children => ChildProcesses.Of(Environment.ProcessId, "--password-stdin");

    /// <summary>A door with a Unix socket at its folder's <c>door</c>, and where it listens by TCP.</summary>
    public (SpiceDoor Door, string Unix, string Tcp) Open(Desk desk, string password = Password, (uint, uint)? runAs = null)
    {
        SpiceDoor door = _doors.Open(new SpiceDoorOptions { Name = "desk", Feed = desk.Folder.File("screen"), Password = password, IsLossless = true, RunAs = runAs });
        string path = desk.Folder.File("door");
        door.ListenUnix(path);
        IPEndPoint tcp = IPEndPoint.Parse(Desk.FreeAddress());
        door.ListenTcp(tcp);
        return (door, $"spice+unix://{path}", $"spice://{tcp}");
    }

    /// <summary>The only one there is, once there is one.</summary>
    public static int Child()
    {
        IReadOnlyList<int> children = [];
        Workplace.Eventually(() => (children = Children).Count == 1, "there is not one process");
        return children[0];
    }

    public static void AwaitNone() => Workplace.Eventually(() => Children.Count == 0, "a process does not end");

    /// <summary>A line of a process's status (proc_pid_status(5)), without its name.</summary>
    public static string Status(int pid, string name) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    public void Dispose()
    {
        _doors.Dispose();
        AwaitNone();
    }
}
