using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

// Whether a transfer stays within its resource and within the memory behind it, reckoned so that nothing wraps. The library checks
// too, in 32 bits and with signs (CVE-2019-18389, CVE-2019-18391); what comes to it from here wraps nowhere.
internal static class TransferBounds
{
    private const uint LargestBlock = 32;

    /// <summary>EINVAL where it does not; <paramref name="length"/> is the memory's, in bytes.</summary>
    internal static Errno Check(in RendererResource3D resource, in RendererTransfer3D transfer, ulong length)
    {
        uint level = transfer.Level;
        uint layers = resource.Target == RendererFormat.PIPE_TEXTURE_3D ? RendererFormat.Minify(resource.Depth, level) : resource.ArraySize;
        uint width = RendererFormat.Minify(resource.Width, level);
        uint height = RendererFormat.Minify(resource.Height, level);
        if (level > resource.LastLevel
            || !IsWithin(transfer.X, transfer.Width, width)
            || !IsWithin(transfer.Y, transfer.Height, height)
            || !IsWithin(transfer.Z, transfer.Depth, layers))
        {
            return Errno.EINVAL;
        }

        RendererBlock block = RendererFormat.BlockOf(resource.Format);
        if (block.Bytes == 0)
        {
            // Not known here: the library reckons alone, and no sum of its wraps that does not wrap for the largest.
            UInt128 most = Extent(transfer, new RendererBlock(1, 1, LargestBlock), width, height, out _);
            return most <= uint.MaxValue ? Errno.None : Errno.EINVAL;
        }

        UInt128 extent = Extent(transfer, block, width, height, out bool isSparse);
        return isSparse && extent <= uint.MaxValue && transfer.Offset <= length && extent <= length - transfer.Offset
            ? Errno.None
            : Errno.EINVAL;
    }

    // From the first byte to behind the last, where a side of none counts as one, as it does in the library; rows and layers must not
    // run into each other.
    private static UInt128 Extent(in RendererTransfer3D transfer, RendererBlock block, uint levelWidth, uint levelHeight, out bool isSparse)
    {
        ulong row = (ulong)block.Across(transfer.Width) * block.Bytes;
        ulong stride = transfer.Stride != 0 ? transfer.Stride : (ulong)block.Across(levelWidth) * block.Bytes;
        uint rows = Math.Max(block.Down(transfer.Height), 1);
        UInt128 layer = (UInt128)stride * rows;
        UInt128 layerStride = transfer.LayerStride != 0 ? transfer.LayerStride : (UInt128)stride * block.Down(levelHeight);
        isSparse = row <= stride && layer <= layerStride;
        return ((Math.Max(transfer.Depth, 1) - 1) * layerStride) + ((UInt128)stride * (rows - 1)) + row;
    }

    private static bool IsWithin(uint first, uint count, uint all) => first <= all && count <= all - first;
}
