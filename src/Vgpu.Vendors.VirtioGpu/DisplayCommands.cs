// GET_DISPLAY_INFO and GET_EDID (virtio 1.2, 5.7.6.8): what the heads' monitors are.
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Tells the driver of the screen; each command answers by itself.</summary>
internal sealed class DisplayCommands(IReadOnlyList<Head> heads)
{
    /// <summary>Preferred modes side by side from the left, as a desktop puts them; enabled where a monitor is connected.</summary>
    internal void GetDisplayInfo(in ControlCommand command)
    {
        VirtioGpuRespDisplayInfo response = default;
        response.Hdr = command.ResponseHeader(VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
        uint x = 0;
        for (int i = 0; i < heads.Count; i++)
        {
            if (!heads[i].IsConnected)
            {
                continue;
            }

            DisplayMode mode = heads[i].PreferredMode;
            ref VirtioGpuDisplayOne one = ref response.Pmodes[i];
            one.R.X = x;
            one.R.Width = (uint)mode.Width;
            one.R.Height = (uint)mode.Height;
            one.Enabled = 1;
            x += one.R.Width;
        }

        command.Respond(response);
    }

    internal uint GetEdid(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuCmdGetEdid request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (request.Scanout >= (uint)heads.Count)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
        }

        VirtioGpuRespEdid response = default;
        response.Hdr = command.ResponseHeader(VIRTIO_GPU_RESP_OK_EDID);
        ReadOnlySpan<byte> edid = heads[(int)request.Scanout].Edid.Span;
        Span<byte> room = response.Edid;
        edid = edid[..Math.Min(edid.Length, room.Length)];
        edid.CopyTo(room);
        response.Size = (uint)edid.Length;
        command.Respond(response);
        return ControlCommand.Answered;
    }
}
