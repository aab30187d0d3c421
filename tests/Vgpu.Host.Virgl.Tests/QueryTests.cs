using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What the library writes into a guest's memory by itself: results of queries, before the fence that follows them.</summary>
[Collection(nameof(Rendering))]
public sealed class QueryTests(RendererThread thread)
{
    private const uint VIRGL_CCMD_BEGIN_QUERY = 19;
    private const uint VIRGL_CCMD_END_QUERY = 20;
    private const uint VIRGL_CCMD_GET_QUERY_RESULT = 21;
    private const uint VIRGL_OBJECT_QUERY = 9;
    private const uint VIRGL_BIND_CUSTOM = 1 << 17;
    private const uint PIPE_QUERY_OCCLUSION_COUNTER = 0;
    private const uint VIRGL_QUERY_STATE_DONE = 1;

    [Fact]
    public void The_pixels_that_were_drawn_are_counted_before_the_fence() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(16);
        Prepare(renderer, memory);

        Ok(renderer.CreateFence(new RendererFence(1, 1, 0, true)));
        _ = Wait(renderer, 1);

        // struct virgl_host_query_state: state, size, result.
        Assert.Equal([VIRGL_QUERY_STATE_DONE, 4u, 16u * 24, 0u], memory.Pixels.ToArray());
    });

    [Fact]
    public void Memory_that_was_taken_back_is_not_written_to() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(16);
        Prepare(renderer, memory);

        // The query keeps the library's resource.
        renderer.DestroyResource(3);
        memory.Bytes.Fill(0x42);
        Ok(renderer.CreateFence(new RendererFence(1, 1, 0, true)));
        _ = Wait(renderer, 1);
        _ = renderer.Submit(1, new CommandStream().Add(VIRGL_CCMD_GET_QUERY_RESULT, 0, 200, 1).Bytes);

        Assert.False(memory.Bytes.ContainsAnyExcept((byte)0x42));
        Assert.Equal(0xffff0000, Read(renderer, 1, new Rect(0, 0, 64, 48))[0]);
    });

    // A quarter of half of the picture is drawn, and its result asked for.
    private static void Prepare(VirglRenderer renderer, GuestMemory memory)
    {
        Begin(renderer, 64, 48);
        Ok(renderer.CreateResource(2, Buffer(96)));
        Ok(renderer.AttachResource(1, 2));
        Ok(renderer.CreateResource(3, Buffer(16, VIRGL_BIND_CUSTOM)));
        Ok(renderer.AttachResource(1, 3));
        Ok(renderer.AttachBacking(3, memory.Runs()));
        Ok(renderer.Submit(1, new CommandStream()
            .Target(1, 1, B8G8R8X8)
            .Clear(0, 0, 1, 1)
            .Pipeline(64, 48, "1.0, 0.0, 0.0, 1.0")
            .Add(CommandStream.VIRGL_CCMD_CREATE_OBJECT, VIRGL_OBJECT_QUERY, 200, PIPE_QUERY_OCCLUSION_COUNTER, 0, 3)
            .Add(VIRGL_CCMD_BEGIN_QUERY, 0, 200)
            .Fill(2, -1, -1, -0.5f, 0)
            .Add(VIRGL_CCMD_END_QUERY, 0, 200)
            .Add(VIRGL_CCMD_GET_QUERY_RESULT, 0, 200, 0).Bytes));
    }
}
