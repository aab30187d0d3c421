using System.Diagnostics;
using System.Net.Sockets;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>Processes that come with the first client and go some time after the last.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SpiceDoorTests
{
    private static readonly Rect s_all = new(0, 0, 320, 200);

    [Fact]
    public void A_client_finds_a_server_that_was_not_there_before()
    {
        using var desk = new Desk();
        using var lobby = new Lobby();
        (_, string unix, string tcp) = lobby.Open(desk);
        Assert.Empty(Lobby.Children);

        Assert.Null(desk.Differs(tcp, "-w", Lobby.Password));
        int child = Lobby.Child();
        desk.DrawPattern(7);
        Assert.Null(desk.Differs(unix));
        Assert.Equal(child, Lobby.Child());
        Assert.Empty(lobby.Log.Lines);
    }

    [Fact]
    public void Who_comes_by_TCP_has_to_know_the_password_and_by_the_path_nothing()
    {
        using var desk = new Desk();
        using var lobby = new Lobby();
        (_, string unix, string tcp) = lobby.Open(desk);
        Assert.Null(SpiceClient.Screenshot(desk.Folder, tcp, out _));
        Assert.Null(SpiceClient.Screenshot(desk.Folder, tcp, out _, "-w", Lobby.Password[..^1]));
        Assert.Null(desk.Differs(tcp, "-w", Lobby.Password));
        Assert.Null(desk.Differs(unix));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(desk.Folder.File("door")));
    }

    [Fact]
    public void The_process_goes_when_nobody_is_there_and_another_comes()
    {
        using var desk = new Desk();
        using var lobby = new Lobby(options => options with { Linger = TimeSpan.FromSeconds(3) });
        (_, string unix, _) = lobby.Open(desk);
        Assert.Null(desk.Differs(unix));
        Lobby.AwaitNone();
        Assert.Null(desk.Differs(unix));
        Assert.Empty(lobby.Log.Lines);
    }

    [Fact]
    public void It_stays_as_long_as_somebody_is_there()
    {
        using var desk = new Desk();
        using var lobby = new Lobby(options => options with { Linger = TimeSpan.FromSeconds(2) });
        (_, string unix, string tcp) = lobby.Open(desk, password: "sesame");
        using (var viewer = new RemoteViewer($"{tcp}?password=sesame"))
        {
            Assert.False(string.IsNullOrEmpty(viewer.Window()), viewer.Said.ToString());
            desk.Fill(s_all, 0x30, 0x20, 0xf0);
            viewer.WaitFor("#F02030");
            using var process = Process.GetProcessById(Lobby.Child());
            Assert.False(process.WaitForExit(TimeSpan.FromSeconds(4)));
            desk.Fill(s_all, 0x33, 0xf2, 0x11);
            viewer.WaitFor("#11F233");
        }

        Lobby.AwaitNone();
        Assert.Null(desk.Differs(unix));
    }

    [Fact]
    public void One_that_died_is_said_in_one_line_and_the_next_client_has_another()
    {
        using var desk = new Desk();
        using var lobby = new Lobby();
        (_, string unix, _) = lobby.Open(desk);
        Assert.Null(desk.Differs(unix));
        int first = Lobby.Child();
        Workplace.Signal(first, "KILL");
        Workplace.Eventually(() => lobby.Log.Lines.Count > 0);
        Assert.Null(desk.Differs(unix));
        Assert.NotEqual(first, Lobby.Child());
        Assert.Equal(["the SPICE process of desk ended with status 137; the next client has another started"], lobby.Log.Lines);
    }

    [Fact]
    public void One_that_can_t_serve_is_not_started_for_every_client()
    {
        using var desk = new Desk();
        using var lobby = new Lobby(options => options with { Command = ["false"] });
        (_, string unix, _) = lobby.Open(desk);
        // As many as may wait while nobody is let in.
        for (int i = 0; i < 10; i++)
        {
            using Socket client = Connect(unix);
            client.Close();
        }

        Workplace.Eventually(() => lobby.Log.Lines.Count > 0);
        Assert.InRange(lobby.Log.Lines.Count, 1, 10);
        Assert.All(lobby.Log.Lines, line => Assert.Contains("desk ended with status 1", line, StringComparison.Ordinal));
    }

    [Fact]
    public void No_more_than_so_many_are_there_and_one_that_nobody_looks_at_makes_room()
    {
        using Desk first = new(), second = new();
        using var lobby = new Lobby(options => options with { MostProcesses = 1 });
        (_, _, string watched) = lobby.Open(first, password: "sesame");
        (_, string other, _) = lobby.Open(second);
        using (var viewer = new RemoteViewer($"{watched}?password=sesame"))
        {
            Assert.False(string.IsNullOrEmpty(viewer.Window()), viewer.Said.ToString());
            first.Fill(s_all, 0x30, 0x20, 0xf0);
            viewer.WaitFor("#F02030");
            Assert.Null(SpiceClient.Screenshot(second.Folder, other, out _));
            Assert.Null(SpiceClient.Screenshot(second.Folder, other, out _));
            Assert.Equal(["desk can't be shown by SPICE now: as many screens as may be are looked at"], lobby.Log.Lines);
            first.Fill(s_all, 0x33, 0xf2, 0x11);
            viewer.WaitFor("#11F233");
        }

        Assert.Null(second.Differs(other));
        Assert.Single(Lobby.Children);
    }

    [Fact]
    public void A_closed_door_ends_the_process_and_takes_the_path_away()
    {
        using var desk = new Desk();
        using var lobby = new Lobby();
        (SpiceDoor door, string unix, string tcp) = lobby.Open(desk);
        Assert.Null(desk.Differs(unix));
        door.Dispose();
        Lobby.AwaitNone();
        Assert.False(File.Exists(desk.Folder.File("door")));
        Assert.Null(SpiceClient.Screenshot(desk.Folder, tcp, out _, "-w", Lobby.Password));
        Assert.Empty(lobby.Log.Lines);
    }

    [Fact]
    public void One_that_hangs_holds_up_no_other()
    {
        using Desk stuck = new(), other = new();
        using var lobby = new Lobby();
        (SpiceDoor door, string hanging, _) = lobby.Open(stuck);
        (_, string unix, _) = lobby.Open(other);
        Assert.Null(stuck.Differs(hanging));
        int child = Lobby.Child();
        Workplace.Signal(child, "STOP");
        for (int i = 0; i < 1000; i++)
        {
            using Socket client = Connect(hanging);
            client.Close();
        }

        Assert.Null(other.Differs(unix));
        door.Dispose();
        Workplace.Eventually(() => !Lobby.Children.Contains(child), "it does not end");
    }

    [Fact]
    public void It_has_no_privileges_and_bounds()
    {
        using var desk = new Desk();
        using var lobby = new Lobby();
        (_, string unix, _) = lobby.Open(desk);
        Assert.Null(desk.Differs(unix));
        int child = Lobby.Child();
        Assert.Equal("1", Lobby.Status(child, "NoNewPrivs"));
        foreach (string set in (string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
        {
            Assert.Equal(Environment.IsPrivilegedProcess || set is not "CapBnd" ? "0000000000000000" : Lobby.Status(Environment.ProcessId, set), Lobby.Status(child, set));
        }

        string limits = File.ReadAllText($"/proc/{child}/limits");
        Assert.Matches(@"Max data size +1073741824 +1073741824", limits);
        Assert.Matches(@"Max open files +256 +256", limits);
        Assert.Matches(@"Max core file size +0 +0", limits);
        Assert.DoesNotContain(Lobby.Password, File.ReadAllText($"/proc/{child}/cmdline") + File.ReadAllText($"/proc/{child}/environ"), StringComparison.Ordinal);
    }

    [Fact]
    public void It_runs_as_the_user_it_is_for()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root starts processes of others");
        const uint User = 12_345;
        using var desk = new Desk();
        using var lobby = new Lobby();
        string feed = desk.Folder.File("screen");
        Assert.Equal(0, Shell.Run("chown", $"{User}:{User}", feed).Status);
        Assert.Equal(0, Shell.Run("chmod", "711", Path.GetDirectoryName(feed)!).Status);
        (_, string unix, _) = lobby.Open(desk, runAs: (User, User));
        Assert.Null(desk.Differs(unix));
        int child = Lobby.Child();
        Assert.Equal([$"{User}"], Lobby.Status(child, "Uid").Split('\t').Distinct());
        Assert.Equal([$"{User}"], Lobby.Status(child, "Gid").Split('\t').Distinct());
        Assert.Equal(string.Empty, Lobby.Status(child, "Groups"));
    }

    [Fact]
    public void The_largest_usual_screen_is_shown_within_the_bounds()
    {
        using var desk = new Desk(3840, 2160);
        using var lobby = new Lobby();
        (_, string unix, _) = lobby.Open(desk);
        for (int i = 1; i < 4; i++)
        {
            desk.DrawPattern(i);
            Assert.Null(desk.Differs(unix));
        }

        Assert.Empty(lobby.Log.Lines);
    }

    [Fact]
    public void One_that_wants_too_much_memory_ends_alone()
    {
        using var desk = new Desk(2000, 1500);
        using var lobby = new Lobby(options => options with { MostMemory = 96L << 20 });
        (_, string unix, _) = lobby.Open(desk);
        _ = SpiceClient.Screenshot(desk.Folder, unix, out _);
        Workplace.Eventually(() => lobby.Log.Lines.Any(line => line.Contains("the SPICE process of desk ended with status", StringComparison.Ordinal)), "it has not ended");
    }

    private static Socket Connect(string unix)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(new Uri(unix).AbsolutePath));
        return socket;
    }
}
