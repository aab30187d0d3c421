using System.Buffers.Binary;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>Commands that no driver writes: the context that sent them is lost at worst, and no other.</summary>
[Collection(nameof(Rendering))]
public sealed class HostileTests(RendererThread thread)
{
    private static byte[] Whole => new CommandStream()
        .Target(1, 1, B8G8R8X8)
        .Clear(0, 0, 1, 1)
        .Pipeline(16, 16, "1.0, 0.0, 0.0, 1.0")
        .Fill(2, -1, -1, 0, 0).Bytes;

    [Fact]
    public void A_stream_cut_at_any_word_harms_nobody_else() => thread.Run(renderer =>
    {
        Neighbour(renderer);
        byte[] whole = Whole;
        for (int length = 0; length < whole.Length; length += 4)
        {
            Attacker(renderer);
            _ = renderer.Submit(1, whole.AsSpan(0, length).ToArray());
            renderer.DestroyContext(1);
        }

        AssertUnharmed(renderer);
    });

    [Fact]
    public void Words_that_are_not_a_whole_number_are_refused() => thread.Run(renderer =>
    {
        Neighbour(renderer);
        Assert.Equal(Errno.EINVAL, renderer.Submit(9, new byte[7]));
        Ok(renderer.Submit(9, []));
        AssertUnharmed(renderer);
    });

    [Theory]
    [InlineData(0xffff_0000u)]
    [InlineData(0x0001_00ffu)]
    [InlineData(0x0000_0808u)]
    [InlineData(0x0005_0801u)]
    public void A_header_that_lies_is_refused(uint header) => thread.Run(renderer =>
    {
        Neighbour(renderer);
        Attacker(renderer);
        byte[] stream = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(stream, header);

        Assert.Equal(Errno.EINVAL, renderer.Submit(1, stream));

        AssertUnharmed(renderer);
    });

    [Fact]
    public void Commands_at_random_lose_their_own_contexts() => Random(Campaign.Short(atLeast: 200));

    [Fact]
    [Trait("Length", "long")]
    public void Commands_at_random_for_long() => Random(Campaign.Long());

    [Fact]
    public void A_resource_of_another_context_can_not_be_drawn_to() => thread.Run(renderer =>
    {
        Neighbour(renderer);
        Attacker(renderer);

        Assert.NotEqual(Errno.None, renderer.Submit(1, new CommandStream().Target(1, 9, B8G8R8X8).Clear(1, 0, 0, 1).Bytes));

        AssertUnharmed(renderer);
    });

    [Fact]
    public void A_resource_destroyed_under_its_surface_is_out_of_reach() => thread.Run(renderer =>
    {
        Neighbour(renderer);
        Attacker(renderer);
        using var memory = new GuestMemory(16 * 16 * 4);
        Ok(renderer.AttachBacking(1, memory.Runs(30)));
        Ok(renderer.Submit(1, Whole));

        renderer.DestroyResource(1);
        _ = renderer.Submit(1, new CommandStream().Clear(1, 0, 0, 1).Bytes);

        Assert.Equal(Errno.ENOENT, renderer.Transfer(1, 1, Part(new Rect(0, 0, 16, 16), 16, isFromHost: true)));
        AssertUnharmed(renderer);
        Assert.False(memory.Bytes.ContainsAnyExcept((byte)0));
    });

    [Fact]
    public void What_the_library_says_of_them_is_logged_in_bounds() => thread.RunWithout(() =>
    {
        var log = new ListLogger();
        using VirglRenderer? renderer = VirglRenderer.TryCreate(new VirglOptions(), log, out string? missing);
        Assert.True(renderer is not null, missing);
        for (uint i = 1; i < 100; i++)
        {
            Ok(renderer.CreateContext(i, 0, default));
            _ = renderer.Submit(i, new CommandStream().Target(1, 77, B8G8R8X8).Bytes);
            renderer.DestroyContext(i);
        }

        Assert.InRange(log.Count("libvirglrenderer: "), 1, 11);
        Assert.Equal(1, log.Count("(more is left out for a minute)"));
        Assert.All(log.Lines, line => Assert.DoesNotContain('\n', line));
    });

    private void Random(Campaign campaign) => thread.Run(renderer =>
    {
        Neighbour(renderer);
        while (campaign.Next())
        {
            var random = new Random(campaign.Rounds);
            Attacker(renderer);
            Ok(renderer.Submit(1, Whole));
            for (int i = 0; i < 20; i++)
            {
                uint[] payload = new uint[random.Next(24)];
                foreach (ref uint word in payload.AsSpan())
                {
                    word = random.Next(4) == 0 ? (uint)random.NextInt64() : (uint)random.Next(12);
                }

                _ = renderer.Submit(1, new CommandStream().Add((uint)random.Next(50), (uint)random.Next(12), payload).Bytes);
            }

            renderer.DestroyContext(1);
        }

        AssertUnharmed(renderer);
    });

    private static void Attacker(VirglRenderer renderer)
    {
        Ok(renderer.CreateContext(1, 0, "attacker"u8));
        renderer.DestroyResource(1);
        renderer.DestroyResource(2);
        Ok(renderer.CreateResource(1, Picture(16, 16)));
        Ok(renderer.CreateResource(2, Buffer(96)));
        Ok(renderer.AttachResource(1, 1));
        Ok(renderer.AttachResource(1, 2));
    }

    private static void Neighbour(VirglRenderer renderer)
    {
        Ok(renderer.CreateContext(9, 0, "neighbour"u8));
        Ok(renderer.CreateResource(9, Picture(8, 8)));
        Ok(renderer.AttachResource(9, 9));
        Ok(renderer.Submit(9, new CommandStream().Target(1, 9, B8G8R8X8).Clear(0, 1, 0, 1).Bytes));
    }

    private static void AssertUnharmed(VirglRenderer renderer)
    {
        Assert.All(Read(renderer, 9, new Rect(0, 0, 8, 8)), pixel => Assert.Equal(0xff00ff00, pixel));
        Ok(renderer.Submit(9, new CommandStream().Clear(1, 1, 1, 1).Bytes));
        Ok(renderer.CreateFence(new RendererFence(1, 9, 0, true)));
        _ = Wait(renderer, 1);
        Assert.All(Read(renderer, 9, new Rect(0, 0, 8, 8)), pixel => Assert.Equal(0xffffffff, pixel));
    }
}
