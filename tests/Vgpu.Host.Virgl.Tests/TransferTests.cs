using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using static Vgpu.Host.Virgl.Tests.Guest;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>Between a resource and the guest's memory behind it.</summary>
[Collection(nameof(Rendering))]
public sealed class TransferTests(RendererThread thread)
{
    private const int Width = 37;
    private const int Height = 23;
    private static readonly Rect s_all = new(0, 0, Width, Height);

    public static TheoryData<uint, int[]> Ways => new()
    {
        { 0, [] },
        { 0, [1001, 3, 500] },
        { VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP, [] },
        { VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP, [1001, 3, 500] },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_odd_rectangle_goes_to_the_host_alone(uint flags, int[] pieces) => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(Width * Height * 4);
        Begin(renderer, Width, Height, flags);
        Ok(renderer.AttachBacking(1, memory.Runs(pieces)));
        Ok(renderer.Transfer(1, 1, Part(s_all, Width, isFromHost: false)));
        new Random(1).NextBytes(memory.Bytes);
        var rect = new Rect(5, 3, 17, 11);

        Ok(renderer.Transfer(1, 1, Part(rect, Width, isFromHost: false)));

        uint[] pixels = Read(renderer, 1, s_all);
        for (int i = 0; i < pixels.Length; i++)
        {
            bool isIn = rect.Contains(new Rect(i % Width, i / Width, 1, 1));
            Assert.Equal(0xff000000 | (isIn ? memory.Pixels[i] : 0), pixels[i]);
        }
    });

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_odd_rectangle_comes_from_the_host_alone(uint flags, int[] pieces) => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(Width * Height * 4);
        Begin(renderer, Width, Height, flags);
        new Random(2).NextBytes(memory.Bytes);
        uint[] given = memory.Pixels.ToArray();
        Ok(renderer.AttachBacking(1, memory.Runs(pieces)));
        Ok(renderer.Transfer(1, 1, Part(s_all, Width, isFromHost: false)));
        memory.Bytes.Fill(0x77);
        var rect = new Rect(20, 7, 17, 13);

        Ok(renderer.Transfer(1, 1, Part(rect, Width, isFromHost: true)));

        for (int i = 0; i < given.Length; i++)
        {
            bool isIn = rect.Contains(new Rect(i % Width, i / Width, 1, 1));

            // X has no meaning.
            Assert.Equal((isIn ? given[i] : 0x777777) & 0xffffff, memory.Pixels[i] & 0xffffff);
        }
    });

    [Fact]
    public void A_buffer_goes_there_and_back() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(1000);
        Ok(renderer.CreateContext(1, 2, default));
        Ok(renderer.CreateResource(1, Buffer(1000)));
        Ok(renderer.AttachResource(1, 1));
        Ok(renderer.AttachBacking(1, memory.Runs(333)));
        new Random(3).NextBytes(memory.Bytes);
        byte[] given = memory.Bytes.ToArray();
        Ok(renderer.Transfer(1, 1, Bytes(0, 1000, isFromHost: false)));
        memory.Bytes.Clear();

        Ok(renderer.Transfer(1, 1, Bytes(301, 99, isFromHost: true)));

        Assert.Equal(given[301..400], memory.Bytes[301..400].ToArray());
        Assert.False(memory.Bytes[..301].ContainsAnyExcept((byte)0) || memory.Bytes[400..].ContainsAnyExcept((byte)0));
    });

    [Fact]
    public void Other_memory_can_take_its_place() => thread.Run(renderer =>
    {
        using var first = new GuestMemory(Width * Height * 4);
        using var second = new GuestMemory(Width * Height * 4);
        Begin(renderer, Width, Height);
        Ok(renderer.AttachBacking(1, first.Runs()));
        renderer.DetachBacking(1);
        Assert.Equal(Errno.EINVAL, renderer.Transfer(1, 1, Part(s_all, Width, isFromHost: false)));
        second.Pixels.Fill(0xff123456);
        Ok(renderer.AttachBacking(1, second.Runs()));

        Ok(renderer.Transfer(1, 1, Part(s_all, Width, isFromHost: false)));

        Assert.All(Read(renderer, 1, s_all), pixel => Assert.Equal(0xff123456, pixel));
    });

    [Fact]
    public void What_leaves_the_resource_or_its_memory_is_refused() => thread.Run(renderer =>
    {
        using var memory = new GuestMemory(Width * Height * 4);
        Begin(renderer, Width, Height);
        Ok(renderer.AttachBacking(1, memory.Runs()));
        RendererTransfer3D good = Part(s_all, Width, isFromHost: true);
        RendererTransfer3D[] bad =
        [
            good with { Width = Width + 1 },
            good with { X = 1 },
            good with { X = uint.MaxValue, Width = 2 },
            good with { Y = 1 },
            good with { Y = 0x8000_0000, Height = 1 },
            good with { Z = 1 },
            good with { Depth = 2 },
            good with { Z = uint.MaxValue, Depth = 1 },
            good with { Level = 1 },
            good with { Level = uint.MaxValue },
            good with { Offset = 4 },
            good with { Offset = ulong.MaxValue },
            good with { Stride = (Width * 4) + 4 },
            good with { Stride = (Width * 4) - 4 },
            good with { Stride = uint.MaxValue },
            good with { Height = 2, Stride = uint.MaxValue - 3 },
            good with { LayerStride = 4 },
        ];

        Assert.All(bad, each => Assert.Equal(Errno.EINVAL, renderer.Transfer(1, 1, each)));
        Assert.All(bad, each => Assert.Equal(Errno.EINVAL, renderer.Transfer(0, 1, each with { IsFromHost = false })));
        Assert.False(memory.Bytes.ContainsAnyExcept((byte)0));
        Ok(renderer.Transfer(1, 1, good));
        Ok(renderer.Transfer(1, 1, good with { Height = 0, X = 99 }));
    });

    private static RendererTransfer3D Bytes(uint first, uint count, bool isFromHost) => new()
    {
        IsFromHost = isFromHost,
        X = first,
        Width = count,
        Height = 1,
        Depth = 1,
        Offset = first,
    };
}
