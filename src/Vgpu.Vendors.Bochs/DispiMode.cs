using Vgpu.Screens;
using static Vgpu.Vendors.Bochs.BochsConstants;

namespace Vgpu.Vendors.Bochs;

// How pixels lie in the framebuffer.
internal enum DispiFormat
{
    B8G8R8X8,
    X8R8G8B8,

    // 16 bits, red in the highest five, little-endian.
    R5G6B5,
}

// What the registers select: a picture somewhere in the video memory. Follows bochs_display_get_mode of QEMU's
// hw/display/bochs-display.c.
internal readonly record struct DispiMode(DispiFormat Format, int Width, int Height, int Stride, ulong Offset)
{
    private const int MinSize = 64;

    internal int BytesPerPixel => Format == DispiFormat.R5G6B5 ? 2 : 4;

    /// <summary>Null where the display is off or the registers make no picture within the memory and <paramref name="max"/>.</summary>
    internal static DispiMode? Of(ReadOnlySpan<ushort> registers, bool bigEndian, ulong videoMemory, DisplayMode max)
    {
        if ((registers[VBE_DISPI_INDEX_ENABLE] & VBE_DISPI_ENABLED) == 0)
        {
            return null;
        }

        DispiFormat format;
        switch (registers[VBE_DISPI_INDEX_BPP])
        {
            case 16:
                format = DispiFormat.R5G6B5;
                break;
            case 32:
                format = bigEndian ? DispiFormat.X8R8G8B8 : DispiFormat.B8G8R8X8;
                break;
            default:
                return null;
        }

        int width = registers[VBE_DISPI_INDEX_XRES];
        int height = registers[VBE_DISPI_INDEX_YRES];
        if (width < MinSize || height < MinSize || width > max.Width || height > max.Height)
        {
            return null;
        }

        var mode = new DispiMode(format, width, height, 0, 0);
        int stride = Math.Max(width, (int)registers[VBE_DISPI_INDEX_VIRT_WIDTH]) * mode.BytesPerPixel;
        ulong offset = ((ulong)registers[VBE_DISPI_INDEX_X_OFFSET] * (ulong)mode.BytesPerPixel)
            + ((ulong)registers[VBE_DISPI_INDEX_Y_OFFSET] * (ulong)stride);
        return offset + ((ulong)stride * (ulong)height) > videoMemory ? null : mode with { Stride = stride, Offset = offset };
    }
}
