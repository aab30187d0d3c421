using System.Globalization;
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What is made and destroyed again and again leaves nothing, and work allocates nothing.</summary>
[Collection(nameof(Rendering))]
public sealed class EnduranceTests(RendererThread thread)
{
    // The runtime maps and unmaps a little of its own at any time.
    private const int FewMaps = 60;

    // KiB: a picture and its list that were kept would be 12 a round.
    private const int LittleMemory = 8 << 10;

    [Fact]
    public void A_thousand_rounds_leave_nothing() => Rounds(1_000);

    [Fact]
    [Trait("Length", "long")]
    public void Ten_thousand_rounds_leave_nothing() => Rounds(10_000);

    [Fact]
    public void Work_allocates_nothing() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(64 * 64 * 4);
        Begin(renderer, 64, 64);
        Ok(renderer.AttachBacking(1, memory.Runs(1000, 2000)));
        Ok(renderer.Submit(1, new CommandStream().Target(1, 1, B8G8R8X8).Bytes));
        byte[] clear = new CommandStream().Clear(1, 0, 0, 1).Bytes;
        byte[] pixels = new byte[64 * 64 * 4];
        Work(renderer, clear, pixels);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Work(renderer, clear, pixels);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    });

    private static void Work(VirglRenderer renderer, byte[] clear, byte[] pixels)
    {
        _ = renderer.Submit(1, clear);
        _ = renderer.Transfer(1, 1, Part(new Rect(1, 2, 30, 40), 64, isFromHost: true));
        _ = renderer.Transfer(1, 1, Part(new Rect(1, 2, 30, 40), 64, isFromHost: false));
        _ = renderer.CreateFence(new RendererFence(1, 1, 0, true));
        _ = renderer.ReadPixels(1, new Rect(0, 0, 64, 64), pixels, 256);
        while (renderer.PollMilliseconds >= 0 || renderer.FencesSignalled.Wait(0))
        {
            _ = renderer.TakeSignalled(out _);
        }
    }

    private void Rounds(int count) => thread.Run(renderer =>
    {
        using var backing = new GuestMemory(64 * 48 * 4);
        for (int i = 0; i < 60; i++)
        {
            Round(renderer, backing);
        }

        (int descriptors, int maps, long memory) = Held();
        for (int i = 0; i < count; i++)
        {
            Round(renderer, backing);
        }

        (int descriptorsAfter, int mapsAfter, long memoryAfter) = Held();
        Assert.Equal(descriptors, descriptorsAfter);
        Assert.InRange(mapsAfter, 0, maps + FewMaps);
        Assert.InRange(memoryAfter, 0, memory + LittleMemory);
    });

    private static void Round(VirglRenderer renderer, GuestMemory memory)
    {
        Begin(renderer, 64, 48);
        Ok(renderer.CreateResource(2, Buffer(96)));
        Ok(renderer.AttachResource(1, 2));
        Ok(renderer.AttachBacking(1, memory.Runs(1001)));
        Ok(renderer.Submit(1, new CommandStream()
            .Target(1, 1, B8G8R8X8)
            .Clear(0, 0, 1, 1)
            .Pipeline(64, 48, "1.0, 0.0, 0.0, 1.0")
            .Fill(2, -1, -1, -0.5f, 0).Bytes));
        Ok(renderer.Transfer(1, 1, Part(new Rect(0, 0, 64, 48), 64, isFromHost: true)));
        Ok(renderer.CreateFence(new RendererFence(1, 1, 0, true)));
        _ = Wait(renderer, 1);
        Assert.Equal((0xff0000u, 0xffu), (memory.Pixels[0] & 0xffffff, memory.Pixels[^1] & 0xffffff));
        renderer.DetachBacking(1);
        renderer.DestroyResource(2);
        renderer.DestroyContext(1);
        renderer.DestroyResource(1);
    }

    // Descriptors of the kinds that rendering takes; memory in KiB, the process's own.
    private static (int Descriptors, int Maps, long Memory) Held()
    {
        GC.Collect();
        string resident = File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return (
            OwnDescriptors.Count("[eventfd]", "/dev/dri", "/memfd:", "/dmabuf:", "sync_file"),
            File.ReadLines("/proc/self/maps").Count(line => !line.Contains("doublemapper", StringComparison.Ordinal)),
            long.Parse(resident.AsSpan()["RssAnon:".Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture));
    }
}
