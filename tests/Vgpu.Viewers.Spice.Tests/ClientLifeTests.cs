using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

/// <summary>Clients that stop, die and talk nonsense.</summary>
public sealed class ClientLifeTests
{
    private const long MostBytes = 600L << 20;

    [Fact]
    public void A_stopped_client_holds_up_nobody_and_makes_nothing_grow()
    {
        using var desk = new Desk(800, 600);
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");
        viewer.Window();
        viewer.Signal("STOP");
        for (int i = 0; i < 600; i++)
        {
            desk.DrawPattern(i);
            desk.Fill(new Rect(i % 700, i % 500, 90, 90), (byte)i, 1, 2);
        }

        Assert.InRange(server.ResidentBytes, 1, MostBytes);
        desk.AssertSeen(server);
        viewer.Signal("CONT");
        desk.DrawPattern(5);
        desk.AssertSeen(server);
    }

    [Fact]
    public void A_mode_is_set_and_the_server_ends_though_its_client_is_stopped()
    {
        using var desk = new Desk(800, 600);
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");
        viewer.Window();
        viewer.Signal("STOP");
        for (int i = 0; i < 100; i++)
        {
            desk.DrawPattern(i);
        }

        desk.Resize(640, 480);
        desk.DrawPattern(9);
        Assert.Equal(0, server.End());
    }

    [Fact]
    public void Strangers_who_talk_nonsense_are_sent_away()
    {
        using var desk = new Desk();
        string path = desk.Folder.File("desk.spice");
        using SpiceProcess server = desk.Show(path);
        var random = new Random(1);
        for (int i = 0; i < 100; i++)
        {
            using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
            socket.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                "REDQ"u8.CopyTo(bytes.Length < 4 ? bytes = new byte[4] : bytes);
            }

            socket.Send(bytes);
        }

        Assert.True(server.IsRunning);
        desk.AssertSeen(server);
    }

    [Fact]
    public void Many_small_drawings_are_all_seen_though_the_library_keeps_what_it_is_given()
    {
        using var desk = new Desk(640, 480);
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");

        // Places that do not overlap, more of them than it may hold: it has to be asked to let go.
        using var pace = new Pace(desk.Folder.File("screen"));
        for (int i = 0; i < 1500; i++)
        {
            desk.Fill(new Rect(i % 80 * 8, i / 80 * 8, 7, 7), (byte)i, (byte)(i >> 4), 9);
            pace.Wait();
        }

        desk.Fill(new Rect(0, 0, 640, 480), 0x30, 0x20, 0xf0);
        viewer.WaitFor("#F02030");

        desk.AssertSeen(server);
        Assert.InRange(server.ResidentBytes, 1, MostBytes);
    }
}
