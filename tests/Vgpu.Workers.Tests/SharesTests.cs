using System.Diagnostics;
using Vgpu.Bus;
using Vgpu.Testing;

namespace Vgpu.Workers.Tests;

/// <summary>vGPUs that share a GPU: real workers, and a real renderer that works through guests' streams.</summary>
public sealed class SharesTests
{
    [Fact]
    public void GPU_time_is_counted_on_by_the_next_worker_and_found_by_the_next_daemon()
    {
        using var place = new Workplace();
        InstanceDefinition studio = place.Start("virtio-gpu-gl");
        InstanceDefinition plain = place.Start();
        using (var client = new DrawingClient(place.Socket(studio), renders: true))
        {
            Assert.Equal(0UL, place.Host.Status(studio.Uuid)!.GpuNanoseconds);
            CommandStream frame = Begin(client);
            RenderUntil(client, frame, () => Of(place, studio).Gpu > 0);
        }

        ulong used = Of(place, studio).Gpu;
        int pid = place.Pid(studio);
        place.Kill(studio);
        Workplace.Eventually(() => place.Pid(studio) != pid);
        Assert.InRange(Of(place, studio).Gpu, used, ulong.MaxValue);
        place.Restart(studio.Uuid, plain.Uuid);
        used = Of(place, studio).Gpu;
        Assert.NotEqual(0UL, used);
        using (var client = new DrawingClient(place.Socket(studio), renders: true))
        {
            CommandStream frame = Begin(client);
            RenderUntil(client, frame, () => Of(place, studio).Gpu > used);
        }

        Assert.Null(place.Host.Status(plain.Uuid)!.GpuNanoseconds);
        Assert.Null(place.Host.Status(plain.Uuid)!.ThrottledNanoseconds);
    }

    [Fact]
    public void A_policy_is_in_force_while_guests_render_and_after_another_daemon_came()
    {
        using var place = new Workplace();
        InstanceDefinition studio = place.Start("virtio-gpu-gl");
        InstanceDefinition other = place.Start("virtio-gpu-gl");
        using var client = new DrawingClient(place.Socket(studio), renders: true);
        using var neighbour = new DrawingClient(place.Socket(other), renders: true);
        CommandStream frame = Begin(client);
        _ = Begin(neighbour);
        RenderUntil(client, frame, () => Of(place, studio).Gpu > 0);
        Assert.Equal(0UL, Of(place, studio).Throttled); // Nobody takes turns.

        // A sixteenth, and no more, though nobody else wants anything.
        place.Host.Configure(studio with { Settings = new SortedDictionary<string, string> { ["policy"] = "fixed_share", ["weight"] = "1" } });
        RenderUntil(client, frame, () => Of(place, studio).Throttled > 0);

        place.Restart(studio.Uuid, other.Uuid);
        ulong throttled = Of(place, studio).Throttled;
        RenderUntil(client, frame, () => Of(place, studio).Throttled > throttled);

        // Who leaves takes his place with him.
        place.Host.Stop(studio.Uuid);
        ulong before = Of(place, other).Throttled;
        RenderUntil(neighbour, frame, () => Of(place, other).Gpu > 0);
        Assert.Equal(before, Of(place, other).Throttled);
    }

    [Fact]
    public void Turns_are_taken_and_both_come_through_also_when_one_is_killed()
    {
        using var place = new Workplace();
        InstanceDefinition studio = place.Start("virtio-gpu-gl", ("policy", "equal_share"));
        InstanceDefinition other = place.Start("virtio-gpu-gl", ("policy", "equal_share"));
        using var client = new DrawingClient(place.Socket(studio), renders: true);
        using var neighbour = new DrawingClient(place.Socket(other), renders: true);
        CommandStream frame = Begin(client);
        _ = Begin(neighbour);
        using var ended = new ManualResetEventSlim();
        var load = new Thread(() =>
        {
            while (!ended.IsSet)
            {
                neighbour.Screen.Render(frame);
            }
        });
        load.Start();
        RenderUntil(client, frame, () => Of(place, studio).Throttled > 0 && Of(place, other).Throttled > 0);
        place.Kill(studio);
        ulong used = Of(place, other).Gpu;
        Workplace.Eventually(() => Of(place, other).Gpu > used, "who had the turn when it was killed has it still");
        ended.Set();
        load.Join();
    }

    [Fact]
    public void Frames_are_limited_while_the_guest_runs_and_none_is_left_out()
    {
        const int Limit = 20;
        const int Frames = 10;
        using var place = new Workplace();
        InstanceDefinition studio = place.Start("virtio-gpu-gl");
        using var client = new DrawingClient(place.Socket(studio), renders: true);
        client.Draw(1);
        place.Host.Configure(studio with { Settings = new SortedDictionary<string, string> { ["fps_limit"] = $"{Limit}" } });
        ulong before = place.Host.Status(studio.Uuid)!.Frames!.Value;
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < Frames; i++)
        {
            client.Draw(i);
        }

        // Never more than the limit lets through in the time that it took, whatever that was; one may come early.
        Assert.InRange(Frames, 0, (Stopwatch.GetElapsedTime(begun).TotalSeconds * Limit) + 2);
        Assert.Equal(before + Frames, place.Host.Status(studio.Uuid)!.Frames);
    }

    private static CommandStream Begin(DrawingClient client)
    {
        client.Screen.BeginRendering();
        client.Screen.Render(new CommandStream().Target(1, GuestScreen.Shown, 2).Pipeline(DrawingClient.Width, DrawingClient.Height, "1.0, 0.0, 0.0, 1.0"));
        return new CommandStream().Fill(GuestScreen.Vertices, -1, -1, 1, 1);
    }

    private static void RenderUntil(DrawingClient client, CommandStream frame, Func<bool> condition) => Workplace.Eventually(() =>
    {
        client.Screen.Render(frame);
        return condition();
    });

    private static (ulong Gpu, ulong Throttled) Of(Workplace place, InstanceDefinition definition)
    {
        Workplace.Eventually(() => place.Host.Status(definition.Uuid)?.GpuNanoseconds is not null, "nobody measures its GPU time");
        WorkerStatus status = place.Host.Status(definition.Uuid)!;
        return (status.GpuNanoseconds!.Value, status.ThrottledNanoseconds!.Value);
    }
}
