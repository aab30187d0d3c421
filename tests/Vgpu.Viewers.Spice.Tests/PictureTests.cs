using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Spice.Tests;

public sealed class PictureTests
{
    [Fact]
    public void A_client_sees_the_picture_pixel_for_pixel_and_what_is_drawn_later()
    {
        using var desk = new Desk();
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        desk.AssertSeen(server);

        desk.Fill(new Rect(10, 20, 30, 40), 1, 2, 3);
        desk.Fill(new Rect(319, 199, 1, 1), 255, 0, 255);
        desk.AssertSeen(server);

        desk.DrawPattern(7);
        desk.AssertSeen(server);
        Assert.Equal(0, server.End());
    }

    [Fact]
    public void A_client_sees_another_mode()
    {
        using var desk = new Desk();
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        desk.AssertSeen(server);
        desk.Resize(641, 403);
        desk.AssertSeen(server);
        desk.Resize(64, 48);
        desk.AssertSeen(server);
    }

    [Fact]
    public void A_viewer_sees_drawings_resizes_and_cursors_while_it_stays()
    {
        using var desk = new Desk();
        desk.Head.SetCursor(new CursorImage(2, 2, 0, 0, new byte[16]), 5, 5);
        using SpiceProcess server = desk.Show(Desk.FreeAddress());
        using var viewer = new RemoteViewer(server.Uri!);
        server.Said.WaitFor("client connected");
        desk.Fill(new Rect(0, 0, 320, 200), 0x30, 0x20, 0xf0);
        viewer.WaitFor("#F02030");

        desk.Resize(500, 400);
        desk.Fill(new Rect(0, 0, 500, 400), 0x33, 0xf2, 0x11);
        viewer.WaitFor("#11F233");

        for (int i = 0; i < 300; i++)
        {
            desk.Head.SetCursor(new CursorImage(64, 64, 1, 1, new byte[64 * 64 * 4]), i, i);
            desk.Head.MoveCursor(i + 1, i);
        }

        desk.Head.SetCursor(null, 0, 0);
        desk.Fill(new Rect(0, 0, 500, 400), 0x01, 0xfe, 0xef);
        viewer.WaitFor("#EFFE01");
        Assert.True(server.IsRunning);
    }
}
