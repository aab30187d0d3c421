using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>A guest is told when its work is done.</summary>
[Collection(nameof(Rendering))]
public sealed class FenceTests(RendererThread thread)
{
    [Fact]
    public void Fences_come_in_order_and_each_once() => thread.Run(renderer =>
    {
        Begin(renderer, 64, 64);
        byte[] clear = new CommandStream().Clear(1, 0, 0, 1).Bytes;
        Ok(renderer.Submit(1, new CommandStream().Target(1, 1, B8G8R8X8).Bytes));
        var asked = new List<RendererFence>();
        for (uint i = 0; i < 300; i++)
        {
            Ok(renderer.Submit(1, clear.ToArray()));
            asked.Add(new RendererFence(1000 + i, i % 3 == 0 ? 1u : 0, 0, i % 3 == 0));
            Ok(renderer.CreateFence(asked[^1]));
        }

        Assert.Equal(asked, Wait(renderer, asked.Count));
        Assert.False(renderer.TakeSignalled(out _));
        Assert.Equal(-1, renderer.PollMilliseconds);
    });

    [Fact]
    public void A_fence_of_a_context_that_has_gone_comes_all_the_same() => thread.Run(renderer =>
    {
        Begin(renderer, 64, 64);
        var fence = new RendererFence(5, 1, 0, HasRing: true);
        Ok(renderer.CreateFence(fence));

        renderer.DestroyContext(1);

        Assert.Equal([fence], Wait(renderer, 1));
    });

    [Fact]
    public void Nothing_comes_after_a_reset_but_what_was_asked_for_since() => thread.Run(renderer =>
    {
        for (uint i = 0; i < 50; i++)
        {
            Ok(renderer.CreateFence(new RendererFence(i, 0, 0, false)));
        }

        renderer.Reset();

        Assert.False(renderer.TakeSignalled(out _));
        Ok(renderer.CreateFence(new RendererFence(77, 0, 0, false)));
        Assert.Equal([new RendererFence(77, 0, 0, false)], Wait(renderer, 1));
    });

    [Fact]
    public void As_many_may_be_due_as_there_is_room_for() => thread.Run(renderer =>
    {
        for (uint i = 0; i < VirglRenderer.MaxFences; i++)
        {
            Ok(renderer.CreateFence(new RendererFence(i, 0, 0, false)));
        }

        Assert.Equal(Errno.ENOBUFS, renderer.CreateFence(new RendererFence(0, 0, 0, false)));
        Assert.Equal(Enumerable.Range(0, VirglRenderer.MaxFences).Select(i => (ulong)i), Wait(renderer, VirglRenderer.MaxFences).Select(fence => fence.Id));
        Ok(renderer.CreateFence(new RendererFence(1, 0, 0, false)));
        _ = Wait(renderer, 1);
    });

    [Fact]
    public void A_ring_that_is_not_there_is_refused() => thread.Run(renderer =>
    {
        Ok(renderer.CreateContext(1, 0, default));

        Assert.Equal(Errno.ENOENT, renderer.CreateFence(new RendererFence(1, 2, 0, true)));
        Assert.Equal(Errno.EINVAL, renderer.CreateFence(new RendererFence(1, 1, 1, true)));
        Assert.False(renderer.TakeSignalled(out _));
    });

    [Fact]
    public void Numbers_that_wrap_keep_their_order()
    {
        var queue = new FenceQueue(4);
        Assert.Equal(1u, queue.Next);
        queue.Add(new RendererFence(1, 0, 0, false));
        queue.Add(new RendererFence(2, 0, 0, false));

        // All that was done long before the first of these.
        Assert.False(queue.TryTake(0, out _));
        Assert.False(queue.TryTake(uint.MaxValue - 5, out _));
        Assert.True(queue.TryTake(1, out RendererFence first));
        Assert.False(queue.TryTake(1, out _));
        Assert.True(queue.TryTake(0x4000_0000, out RendererFence second));
        Assert.Equal((1ul, 2ul, 0), (first.Id, second.Id, queue.Count));
    }
}
