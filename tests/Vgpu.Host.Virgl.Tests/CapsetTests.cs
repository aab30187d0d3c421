using System.Buffers.Binary;
using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What guests are offered.</summary>
[Collection(nameof(Rendering))]
public sealed class CapsetTests(RendererThread thread)
{
    [Fact]
    public void There_are_virgl_and_virgl2() => thread.Run(renderer =>
        Assert.Equal([1u, 2u], renderer.Capsets.Select(capset => capset.Id)));

    [Fact]
    public void Each_says_its_version_and_formats() => thread.Run(renderer =>
    {
        Assert.All(renderer.Capsets, capset =>
        {
            byte[] data = new byte[capset.Size];
            Guest.Ok(renderer.GetCapset(capset.Id, capset.MaxVersion, data));

            // struct virgl_caps_v1: max_version, then the formats that can be sampled, a bit each.
            Assert.Equal(capset.Id, BinaryPrimitives.ReadUInt32LittleEndian(data));
            Assert.NotEqual(0, data[4] & (1 << (int)Guest.B8G8R8X8));
        });
    });

    [Fact]
    public void What_is_not_offered_is_refused() => thread.Run(renderer =>
    {
        RendererCapset capset = renderer.Capsets[0];
        byte[] data = new byte[capset.Size];
        Assert.Equal(Errno.EINVAL, renderer.GetCapset(4, 0, data));
        Assert.Equal(Errno.EINVAL, renderer.GetCapset(capset.Id, capset.MaxVersion + 1, data));
        Assert.Equal(Errno.EINVAL, renderer.GetCapset(capset.Id, capset.MaxVersion, data.AsSpan(1)));
        Assert.All(data, each => Assert.Equal(0, each));
    });

    [Fact]
    public void The_operator_is_told_what_draws() => thread.Run(renderer =>
    {
        Assert.Matches("^libvirglrenderer.so.1[.0-9]* on .+$", renderer.Name);
        Assert.Contains($"rendering by {renderer.Name}", thread.Log.Lines);
    });
}
