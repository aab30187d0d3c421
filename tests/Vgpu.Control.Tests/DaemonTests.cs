using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Vgpu.Api;
using Vgpu.Linux;
using Vgpu.Testing;

namespace Vgpu.Control.Tests;

/// <summary>The daemon as a service manager has it: one on a folder, told when it is ready, given its sockets, ended by a signal.</summary>
public sealed class DaemonTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder.File("run");

    private string Command => $"exec dotnet $VGPUD --run {Run} --state {_folder.File("state")} --no-viewers";

    public void Dispose()
    {
        // A killed daemon leaves its mount.
        using (var unmount = Process.Start(new ProcessStartInfo("umount", ["--quiet", "--lazy", Path.Combine(Run, "tree")]) { RedirectStandardError = true })!)
        {
            unmount.WaitForExit();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public void It_serves_until_a_signal_and_takes_its_sockets_away(string signal)
    {
        using var daemon = new RunningDaemon(Command);
        Assert.Equal($"vgpud: ready, in {Run}", daemon.Line());
        using (var client = new ApiClient(Path.Combine(Run, DaemonPaths.Socket)))
        {
            Assert.Empty(client.Instances());
        }

        Assert.Equal((0, "vgpud: stopped; workers go on\n"), daemon.EndBy(signal));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Run), path => path.EndsWith(".sock", StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_one_on_its_folder_names_the_first()
    {
        using var first = new RunningDaemon(Command);
        _ = first.Line();
        using var second = new RunningDaemon(Command);

        Assert.Equal((1, $"vgpud: error: another vgpud runs in {Run}, process {first.Pid}; end it, or give --run another folder\n"), second.End());
        using var client = new ApiClient(Path.Combine(Run, DaemonPaths.Socket));
        Assert.Empty(client.Instances());
    }

    [Fact]
    public void What_a_killed_one_left_is_no_hindrance()
    {
        using (var first = new RunningDaemon(Command))
        {
            _ = first.Line();
            _ = first.EndBy("KILL");
        }

        Assert.True(File.Exists(Path.Combine(Run, DaemonPaths.Socket)));
        using var second = new RunningDaemon(Command);
        Assert.Equal($"vgpud: ready, in {Run}", second.Line());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_service_manager_is_told(bool isAbstract)
    {
        string name = isAbstract ? $"vgpu-test-{Guid.NewGuid()}" : _folder.File("notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name : name));
        using var daemon = new RunningDaemon(Command, ("NOTIFY_SOCKET", isAbstract ? '@' + name : name), ("JOURNAL_STREAM", "8:1"));

        Assert.Equal("READY=1\nSTATUS=0 instance(s) on 1 parent(s)", Receive());
        Assert.Equal($"<6>ready, in {Run}", daemon.Line());
        Assert.Equal((0, "<6>stopped; workers go on\n"), daemon.EndBy("TERM"));
        Assert.Equal("STOPPING=1", Receive());

        string Receive()
        {
            byte[] datagram = new byte[1024];
            return Encoding.UTF8.GetString(datagram, 0, manager.Receive(datagram));
        }
    }

    [Fact]
    public void Sockets_that_it_is_given_stay_when_it_ends()
    {
        string both = _folder.File("all");
        string open = _folder.File("open");
        using UnixSocket readWrite = UnixSocket.Listen(both);
        using UnixSocket readOnly = UnixSocket.Listen(open);
        // A client that comes before the daemon waits for it.
        using var early = new ApiClient(both);
        using RunningDaemon daemon = Give($"{DaemonPaths.ReadOnlySocket}:other:{DaemonPaths.Socket}", readOnly, readOnly, readWrite);

        Assert.Single(early.Parents());
        Assert.Contains("there is no instance 'a'", Assert.Throws<ApiException>(() => early.Start("a")).Message, StringComparison.Ordinal);
        using (var reader = new ApiClient(open))
        {
            Assert.Equal(403, Assert.Throws<ApiException>(() => reader.Start("a")).Status);
        }

        Assert.Equal(0, daemon.EndBy("TERM").Status);
        Assert.True(File.Exists(both) && File.Exists(open));
        Assert.False(File.Exists(Path.Combine(Run, DaemonPaths.Socket)));
    }

    [Fact]
    public void One_socket_of_two_is_one_line()
    {
        using UnixSocket readWrite = UnixSocket.Listen(_folder.File("all"));
        using RunningDaemon daemon = Give(DaemonPaths.Socket, readWrite);

        Assert.Equal((1, "vgpud: error: the service manager gives sockets, and none is named vgpud-ro.sock; start vgpud.socket and vgpud-ro.socket together\n"), daemon.End());
    }

    [Theory]
    [InlineData("--metrics-port 0", "--metrics-port is 1 to 65535")]
    [InlineData("--metrics-port 9000 --metrics-address 0.0.0.0", "give --metrics-token a file")]
    [InlineData("--metrics-port 9000 --metrics-token /nowhere", "there is no file /nowhere")]
    [InlineData("--colour", "'--colour' is no option here")]
    [InlineData("desk", "'desk' is no option here")]
    public void Wrong_words_are_one_line(string words, string text)
    {
        using var daemon = new RunningDaemon($"{Command} {words}");

        (int status, string log) = daemon.End();
        Assert.Equal(2, status);
        Assert.Contains(text, log, StringComparison.Ordinal);
        Assert.Matches("^vgpud: [^\n]*; 'vgpud --help' shows how\n$", log);
    }

    [Fact]
    public void A_folder_that_can_t_be_is_one_line()
    {
        File.WriteAllText(_folder.File("file"), string.Empty);
        using var daemon = new RunningDaemon($"exec dotnet $VGPUD --run {_folder.File("file/run")} --state {_folder.File("state")}");

        (int status, string log) = daemon.End();
        Assert.Equal(1, status);
        Assert.Matches($"^vgpud: error: [^\n]*{_folder.File("file")}[^\n]*\n$", log);
    }

    private RunningDaemon Give(string names, params UnixSocket[] sockets)
    {
        FileDescriptor[] given = [.. sockets.Select(socket => socket.Descriptor.DuplicateForPrograms())];
        try
        {
            string numbers = string.Concat(given.Select((descriptor, i) => $" {3 + i}<&{descriptor.Number} {descriptor.Number}<&-"));
            return new RunningDaemon($"exec{numbers}; LISTEN_PID=$$ LISTEN_FDS={sockets.Length} LISTEN_FDNAMES={names} {Command}");
        }
        finally
        {
            Array.ForEach(given, descriptor => descriptor.Dispose());
        }
    }
}
