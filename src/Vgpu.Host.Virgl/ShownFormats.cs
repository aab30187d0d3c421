using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Screens;

namespace Vgpu.Host.Virgl;

// Which resources a screen can show, and how their pixels lie in memory (VIRGL_FORMAT_* of virgl_hw.h).
internal static class ShownFormats
{
    private const uint PIPE_TEXTURE_2D = 2;
    private const uint PIPE_TEXTURE_RECT = 5;

    internal static bool TryGet(in RendererResource3D resource, out PixelFormat format)
    {
        // A picture's bytes are the same in sRGB, and meant so.
        format = resource.Format switch
        {
            98 => PixelFormat.A8B8G8R8,
            99 => PixelFormat.X8B8G8R8,
            100 => PixelFormat.B8G8R8A8,
            101 => PixelFormat.B8G8R8X8,
            102 => PixelFormat.A8R8G8B8,
            103 => PixelFormat.X8R8G8B8,
            104 => PixelFormat.R8G8B8A8,
            230 => PixelFormat.R8G8B8X8,
            _ => (PixelFormat)resource.Format,
        };
        return resource is { Target: PIPE_TEXTURE_2D or PIPE_TEXTURE_RECT, Samples: <= 1 } && Enum.IsDefined(format);
    }

    /// <summary>Whole pixels, in place. A picture's alpha stays, as a cursor has a use for it; X becomes 255.</summary>
    internal static void ToB8G8R8A8(Span<byte> bytes, PixelFormat format)
    {
        Span<uint> pixels = MemoryMarshal.Cast<byte, uint>(bytes);
        switch (format)
        {
            case PixelFormat.B8G8R8A8:
                break;

            case PixelFormat.A8R8G8B8:
                BinaryPrimitives.ReverseEndianness(pixels, pixels);
                break;

            case PixelFormat.A8B8G8R8:
                foreach (ref uint pixel in pixels)
                {
                    pixel = BitOperations.RotateRight(pixel, 8);
                }

                break;

            case PixelFormat.R8G8B8A8:
                foreach (ref uint pixel in pixels)
                {
                    pixel = (pixel & 0xff00ff00) | ((pixel >> 16) & 0xff) | ((pixel & 0xff) << 16);
                }

                break;

            default:
                PixelConversion.ToB8G8R8X8(bytes, format, bytes);
                break;
        }
    }
}
