using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>Contexts and resources, and the numbers that a guest names them by.</summary>
[Collection(nameof(Rendering))]
public sealed class ObjectTests(RendererThread thread)
{
    [Fact]
    public void Numbers_are_used_once_and_not_zero() => thread.Run(renderer =>
    {
        Assert.Equal(Errno.EINVAL, renderer.CreateContext(0, 0, default));
        Assert.Equal(Errno.EINVAL, renderer.CreateResource(0, Picture(4, 4)));
        Ok(renderer.CreateContext(uint.MaxValue, 1, default));
        Ok(renderer.CreateResource(uint.MaxValue, Picture(4, 4)));
        Assert.Equal(Errno.EEXIST, renderer.CreateContext(uint.MaxValue, 1, default));
        Assert.Equal(Errno.EEXIST, renderer.CreateResource(uint.MaxValue, Picture(4, 4)));

        renderer.DestroyContext(uint.MaxValue);
        renderer.DestroyResource(uint.MaxValue);

        Ok(renderer.CreateContext(uint.MaxValue, 2, default));
        Ok(renderer.CreateResource(uint.MaxValue, Buffer(16)));
    });

    [Fact]
    public void A_context_is_of_a_capset_that_is_offered() => thread.Run(renderer =>
    {
        Assert.Equal(Errno.EINVAL, renderer.CreateContext(1, 3, default));
        Assert.Equal(Errno.EINVAL, renderer.CreateContext(1, 4, default));
        Assert.Equal(Errno.EINVAL, renderer.CreateContext(1, 0x102, default));
        Ok(renderer.CreateContext(1, 1, new byte[64]));
        Ok(renderer.CreateContext(2, 2, Enumerable.Repeat((byte)'n', 500).ToArray()));
    });

    [Fact]
    public void What_is_not_there_is_said_or_passed_over() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(64);
        Ok(renderer.CreateContext(1, 0, default));
        Ok(renderer.CreateResource(1, Buffer(64)));

        Assert.Equal(Errno.ENOENT, renderer.AttachResource(1, 2));
        Assert.Equal(Errno.ENOENT, renderer.AttachResource(2, 1));
        Assert.Equal(Errno.ENOENT, renderer.AttachBacking(2, memory.Runs()));
        Assert.Equal(Errno.ENOENT, renderer.Transfer(1, 2, Part(new Rect(0, 0, 1, 1), 1, true)));
        Assert.Equal(Errno.ENOENT, renderer.Transfer(2, 1, Part(new Rect(0, 0, 1, 1), 1, true)));
        Assert.Equal(Errno.ENOENT, renderer.Submit(2, new byte[4]));
        renderer.DestroyContext(2);
        renderer.DestroyResource(2);
        renderer.DetachResource(1, 2);
        renderer.DetachResource(2, 1);
        renderer.DetachBacking(2);
        renderer.DetachBacking(1);
    });

    [Fact]
    public void Memory_is_attached_once() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(64);
        Ok(renderer.CreateResource(1, Buffer(64)));
        Assert.Equal(Errno.EINVAL, renderer.AttachBacking(1, []));
        Ok(renderer.AttachBacking(1, memory.Runs(7)));
        Assert.Equal(Errno.EBUSY, renderer.AttachBacking(1, memory.Runs()));
        renderer.DetachBacking(1);
        renderer.DetachBacking(1);
        Ok(renderer.AttachBacking(1, memory.Runs(9, 8, 7)));
    });

    [Fact]
    public void A_resource_can_be_attached_twice_and_to_several() => thread.Run(renderer =>
    {
        Begin(renderer, 8, 8);
        Ok(renderer.CreateContext(2, 0, default));
        Ok(renderer.AttachResource(1, 1));
        Ok(renderer.AttachResource(2, 1));
        renderer.DetachResource(1, 1);

        Ok(renderer.Submit(2, new CommandStream().Target(1, 1, B8G8R8X8).Clear(1, 0, 1, 1).Bytes));

        Assert.All(Read(renderer, 1, new Rect(0, 0, 8, 8)), pixel => Assert.Equal(0xffff00ff, pixel));
    });

    [Fact]
    public void Descriptions_that_make_no_sense_are_refused() => thread.Run(renderer =>
    {
        RendererResource3D good = Picture(16, 16);
        RendererResource3D[] bad =
        [
            good with { Width = 0 },
            good with { Height = 0 },
            good with { Depth = 0 },
            good with { ArraySize = 0 },
            good with { Depth = 2 },
            good with { ArraySize = 2 },
            good with { Target = 99 },
            good with { Format = 0 },
            good with { Format = 0xffff },
            good with { LastLevel = 30 },
            Buffer(16) with { Height = 2 },
            Buffer(16) with { Bind = 0x8000_0000 },
        ];

        Assert.All(bad, each => Assert.NotEqual(Errno.None, renderer.CreateResource(1, each)));
        Ok(renderer.CreateResource(1, good));
    });

    [Fact]
    public void A_reset_leaves_nothing_and_all_can_be_made_again() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(16 * 16 * 4);
        for (int round = 0; round < 20; round++)
        {
            Begin(renderer, 16, 16);
            Ok(renderer.AttachBacking(1, memory.Runs(100)));
            Ok(renderer.CreateFence(new RendererFence(1, 0, 0, false)));

            renderer.Reset();

            Assert.Equal(Errno.ENOENT, renderer.Submit(1, new byte[4]));
            Assert.Equal(Errno.ENOENT, renderer.Transfer(0, 1, Part(new Rect(0, 0, 1, 1), 16, false)));
        }
    });

    [Fact]
    public void Another_thread_is_turned_away() => thread.Run(renderer =>
    {
        Exception? thrown = null;
        var other = new Thread(() => thrown = Record.Exception(() => renderer.CreateContext(1, 0, default)));
        other.Start();
        other.Join();
        Assert.IsType<InvalidOperationException>(thrown);
    });
}
