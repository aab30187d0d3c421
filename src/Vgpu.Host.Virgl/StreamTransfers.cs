using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

// The transfers that a stream of commands has in it (virgl_protocol.h of virglrenderer), held to the same bounds as those that come by
// themselves: 0.10 reckons in 32 bits for these too. All else of a stream is the library's to check.
internal static class StreamTransfers
{
    private const uint VIRGL_CCMD_RESOURCE_INLINE_WRITE = 9;
    private const uint VIRGL_CCMD_TRANSFER3D = 43;
    private const uint VIRGL_CCMD_COPY_TRANSFER3D = 45;

    // Words behind the header.
    private const int VIRGL_RESOURCE_IW_DATA_START = 12;
    private const int VIRGL_TRANSFER3D_SIZE = 13;
    private const int VIRGL_COPY_TRANSFER3D_SIZE = 14;

    /// <summary>
    /// EINVAL where one leaves its resource or its memory. A command that is cut short ends the search: the library refuses it.
    /// </summary>
    internal static Errno Check(ReadOnlySpan<uint> words, Dictionary<uint, VirglResource> resources)
    {
        while (!words.IsEmpty)
        {
            int length = (int)(words[0] >> 16);
            if (length >= words.Length)
            {
                break;
            }

            ReadOnlySpan<uint> command = words[..(length + 1)];
            words = words[(length + 1)..];
            if (!IsWithin(command, resources))
            {
                return Errno.EINVAL;
            }
        }

        return Errno.None;
    }

    private static bool IsWithin(ReadOnlySpan<uint> command, Dictionary<uint, VirglResource> resources)
    {
        int length = command.Length - 1;
        switch (command[0] & 0xff)
        {
            case VIRGL_CCMD_RESOURCE_INLINE_WRITE when length >= VIRGL_RESOURCE_IW_DATA_START - 1:
                return IsWithin(command, resources, 0, (ulong)(command.Length - VIRGL_RESOURCE_IW_DATA_START) * sizeof(uint));

            case VIRGL_CCMD_TRANSFER3D when length >= VIRGL_TRANSFER3D_SIZE:
                return IsWithin(command, resources, command[12], resources.TryGetValue(command[1], out VirglResource? own) ? own.Length : 0);

            case VIRGL_CCMD_COPY_TRANSFER3D when length >= VIRGL_COPY_TRANSFER3D_SIZE:
                return IsWithin(command, resources, command[13], resources.TryGetValue(command[12], out VirglResource? source) ? source.Length : 0);

            default:
                return true;
        }
    }

    // The first eleven words are the same for all three. A resource that is not there is the library's to refuse.
    private static bool IsWithin(ReadOnlySpan<uint> command, Dictionary<uint, VirglResource> resources, ulong offset, ulong length)
    {
        if (!resources.TryGetValue(command[1], out VirglResource? resource))
        {
            return true;
        }

        var transfer = new RendererTransfer3D
        {
            IsFromHost = false,
            Level = command[2],
            Stride = command[4],
            LayerStride = command[5],
            X = command[6],
            Y = command[7],
            Z = command[8],
            Width = command[9],
            Height = command[10],
            Depth = command[11],
            Offset = offset,
        };
        return TransferBounds.Check(resource.Description, transfer, length) == Errno.None;
    }
}
