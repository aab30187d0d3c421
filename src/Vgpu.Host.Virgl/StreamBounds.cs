using Vgpu.Gpus;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

// The bounds of a stream of commands (virgl_protocol.h of virglrenderer): each command ends within it, which the library does not say
// to its caller; the transfers in it keep to what those do that come by themselves, as 0.10 reckons in 32 bits for these too; and formats
// of images are formats, as 0.10 looks any number up. All else is the library's to check.
internal static class StreamBounds
{
    private const uint VIRGL_CCMD_RESOURCE_INLINE_WRITE = 9;
    private const uint VIRGL_CCMD_SET_SHADER_IMAGES = 35;
    private const uint VIRGL_CCMD_TRANSFER3D = 43;
    private const uint VIRGL_CCMD_COPY_TRANSFER3D = 45;

    // Words behind the header.
    private const int VIRGL_RESOURCE_IW_DATA_START = 12;
    private const int VIRGL_TRANSFER3D_SIZE = 13;
    private const int VIRGL_COPY_TRANSFER3D_SIZE = 14;
    private const int VIRGL_SET_SHADER_IMAGE_ELEMENT_SIZE = 5;

    // Of 0.10; what came later is no format of images.
    private const uint VIRGL_FORMAT_MAX = 313;

    /// <summary>EINVAL where a command is cut short, or a transfer leaves its resource or its memory.</summary>
    internal static Errno Check(ReadOnlySpan<uint> words, Dictionary<uint, VirglResource> resources)
    {
        while (!words.IsEmpty)
        {
            int length = (int)(words[0] >> 16);
            if (length >= words.Length || !IsWithin(words[..(length + 1)], resources))
            {
                return Errno.EINVAL;
            }

            words = words[(length + 1)..];
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

            case VIRGL_CCMD_SET_SHADER_IMAGES:
                for (int format = 3; format <= length; format += VIRGL_SET_SHADER_IMAGE_ELEMENT_SIZE)
                {
                    if (command[format] >= VIRGL_FORMAT_MAX)
                    {
                        return false;
                    }
                }

                return true;

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
