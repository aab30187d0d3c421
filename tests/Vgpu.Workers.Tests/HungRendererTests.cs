using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Workers.Tests;

/// <summary>A guest whose work keeps the host's renderer for ever, with the real programs and the real renderer.</summary>
public sealed class HungRendererTests
{
    // The renderer is given half a minute, on all processors: too much for a run beside others.
    [Fact]
    [Trait("Length", "long")]
    public void A_guest_that_hangs_its_renderer_loses_its_worker_and_nobody_else_does()
    {
        using var place = new Workplace();
        InstanceDefinition desk = place.Start("virtio-gpu-gl");
        InstanceDefinition other = place.Start("virtio-gpu-gl");
        using var client = new DrawingClient(place.Socket(desk), renders: true);
        using var neighbour = new DrawingClient(place.Socket(other), renders: true);
        neighbour.Draw(1);
        client.Draw(1);
        int pid = place.Pid(desk);
        int otherPid = place.Pid(other);
        client.Screen.BeginRendering();
        client.Screen.Render(new CommandStream().Target(1, GuestScreen.Shown, 2).Clear(0, 0, 1, 1));

        CommandStream endless = new CommandStream().EndlessPipeline(DrawingClient.Width, DrawingClient.Height);
        for (int i = 0; i < 20; i++)
        {
            endless.Fill(GuestScreen.Vertices, -1, -1, 1, 1);
        }

        client.Screen.RenderWithoutWaiting(endless);
        Workplace.Eventually(() => Happened(place, desk, WorkerEventKind.Hung), "nobody says that the renderer hangs");
        Workplace.Eventually(() => place.Pid(desk) != pid, "its worker was not replaced");

        // What it drew in its context is lost; its screen is not.
        client.Draw(2);
        neighbour.Draw(2);
        Assert.Equal(otherPid, place.Pid(other));
        Assert.False(Happened(place, other, WorkerEventKind.Hung));
        Assert.Equal(0, place.Host.Status(other.Uuid)!.Successions);
    }

    private static bool Happened(Workplace place, InstanceDefinition definition, WorkerEventKind kind)
    {
        lock (place.Events)
        {
            return place.Events.Exists(happened => happened.Kind == kind && happened.Uuid == definition.Uuid);
        }
    }
}
