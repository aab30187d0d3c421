using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>What tests ask of a renderer again and again.</summary>
internal static class Guest
{
    public const uint B8G8R8A8 = 1;
    public const uint B8G8R8X8 = 2;
    public const uint R8_UNORM = 64;
    public const uint VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP = 1;
    private const uint VIRGL_BIND_RENDER_TARGET = 1 << 1;
    private const uint VIRGL_BIND_SAMPLER_VIEW = 1 << 3;
    private const uint VIRGL_BIND_VERTEX_BUFFER = 1 << 4;
    private const uint PIPE_TEXTURE_2D = 2;
    private const int LongEnough = 60_000;

    public static RendererResource3D Picture(uint width, uint height, uint flags = 0, uint format = B8G8R8X8) => new()
    {
        Target = PIPE_TEXTURE_2D,
        Format = format,
        Bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW,
        Width = width,
        Height = height,
        Depth = 1,
        ArraySize = 1,
        Flags = flags,
    };

    public static RendererResource3D Buffer(uint bytes, uint bind = VIRGL_BIND_VERTEX_BUFFER) => new()
    {
        Target = RendererFormat.PIPE_BUFFER,
        Format = R8_UNORM,
        Bind = bind,
        Width = bytes,
        Height = 1,
        Depth = 1,
        ArraySize = 1,
    };

    /// <summary>A rectangle of the first level, as it lies in a backing of the whole picture.</summary>
    public static RendererTransfer3D Part(Rect rect, uint width, bool isFromHost) => new()
    {
        IsFromHost = isFromHost,
        X = (uint)rect.X,
        Y = (uint)rect.Y,
        Width = (uint)rect.Width,
        Height = (uint)rect.Height,
        Depth = 1,
        Offset = (((ulong)rect.Y * width) + (ulong)rect.X) * Surface.BytesPerPixel,
        Stride = width * Surface.BytesPerPixel,
    };

    /// <summary>A context 1 that has resource 1, a picture.</summary>
    public static void Begin(VirglRenderer renderer, uint width, uint height, uint flags = 0)
    {
        Ok(renderer.CreateContext(1, 0, "test"u8));
        Ok(renderer.CreateResource(1, Picture(width, height, flags)));
        Ok(renderer.AttachResource(1, 1));
    }

    public static uint[] Read(VirglRenderer renderer, uint resource, Rect rect)
    {
        uint[] pixels = new uint[rect.Width * rect.Height];
        Ok(renderer.ReadPixels(resource, rect, System.Runtime.InteropServices.MemoryMarshal.AsBytes(pixels.AsSpan()), rect.Width * Surface.BytesPerPixel));
        return pixels;
    }

    /// <summary>The next so many fences that are done, waiting as a device waits.</summary>
    public static List<RendererFence> Wait(VirglRenderer renderer, int count)
    {
        var fences = new List<RendererFence>();
        while (true)
        {
            while (renderer.TakeSignalled(out RendererFence fence))
            {
                fences.Add(fence);
            }

            if (fences.Count >= count)
            {
                return fences;
            }

            int poll = renderer.PollMilliseconds;
            bool isSignalled = renderer.FencesSignalled.Wait(poll < 0 ? LongEnough : poll);
            Assert.True(isSignalled || poll >= 0, $"{count - fences.Count} fences never came");
        }
    }

    public static void Ok(Errno error) => Assert.Equal(Errno.None, error);
}
