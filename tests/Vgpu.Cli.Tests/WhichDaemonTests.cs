using System.Diagnostics;

namespace Vgpu.Cli.Tests;

/// <summary>Which daemon a command asks, what it says where none is there, and what completes by asking one.</summary>
public sealed class WhichDaemonTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_a_daemon_every_command_says_what_mends_it()
    {
        string socket = _folder["vgpud.sock"];
        foreach (string words in (string[])["types", "list", "show a", "create p t", "set a b=c", "start a", "stop a", "upgrade a", "remove a", "events", "events --follow", "libvirt-xml a", "qemu-args a", "shot a a.png", "attach --qmp /q a"])
        {
            Cli.Run([.. words.Split(' '), "--socket", socket]).AssertOneLine(1, $"no daemon answers at {socket}; start it with 'vgpu daemon'");
        }
    }

    [Fact]
    public void The_environment_names_one_and_the_option_another()
    {
        using var first = new FakeDaemon();
        using var second = new FakeDaemon();
        _ = first.Make("first");
        _ = second.Make("second");

        Assert.Contains("first", Cli.Bash($"VGPU_SOCKET={first.Socket} vgpu list").AssertDone(), StringComparison.Ordinal);
        Assert.Contains("second", Cli.Bash($"VGPU_SOCKET={first.Socket} vgpu list --socket {second.Socket}").AssertDone(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_daemon_is_one_line()
    {
        using var daemon = new FakeDaemon();
        string socket = _folder["odd.sock"];
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(socket));
        listener.Listen();
        using Process command = Cli.Start(["list", "--socket", socket]);
        using (var client = listener.Accept())
        {
            _ = client.Receive(new byte[4096]);
            _ = client.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8);
            Cli.End(command).AssertOneLine(1, $"what the daemon at {socket} answers can't be read");
        }
    }

    [Theory]
    [InlineData("vgpu show ", "desk")]
    [InlineData("vgpu remove ", "desk")]
    [InlineData("vgpu qemu-args ", "desk")]
    [InlineData("vgpu create ", "software0")]
    [InlineData("vgpu create software0 v", "virtio-gpu-256m")]
    [InlineData("vgpu create software0 bochs-16m --after ", "desk")]
    public void Names_complete_by_asking_the_daemon(string line, string word)
    {
        using var daemon = new FakeDaemon();
        _ = daemon.Make("desk");

        Assert.Contains(word, Suggest(line, daemon.Socket).AssertDone().Split('\n'));
        Assert.DoesNotContain(word, Suggest(line, _folder["none"]).AssertDone().Split('\n'));
    }

    [Fact]
    public void The_daemon_is_run_from_beside_the_program()
    {
        string command = $"daemon --run {_folder["run"]} --state {_folder["state"]}";
        using Process daemon = Cli.Start(command.Split(' '));
        Assert.Equal($"vgpud: the tree is mounted at {_folder["run/tree"]}", daemon.StandardError.ReadLine());
        Assert.Equal($"vgpud: ready, in {_folder["run"]}", daemon.StandardError.ReadLine());

        // It became the daemon; read past .NET's own locks.
        Assert.Equal($"{daemon.Id}\n", Cli.Bash($"cat {_folder["run/vgpud.lock"]}").AssertDone());
        Assert.Equal("NAME  TYPE  PARENT  STATE  CLIENT  MEMORY  MODE  UUID\n", Cli.Run("list", "--socket", _folder["run/vgpud.sock"]).AssertDone());
        Cli.Signal(daemon, "TERM");
        Assert.Equal(0, Cli.End(daemon).Status);
        Assert.Contains("Usage:\n  vgpud ", Cli.Run("daemon", "--", "--help").AssertDone(), StringComparison.Ordinal);
    }

    private static Outcome Suggest(string line, string socket) => Cli.Bash($"VGPU_SOCKET={socket} vgpu '[suggest:{line.Length}]' '{line}'");
}
