// GET_CAPSET_INFO, GET_CAPSET, CTX_* and SUBMIT_3D (linux/virtio_gpu.h; virtio 1.2, 5.7.6.8): what guests render in.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Vgpu.Gpus;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Each command answers with a VIRTIO_GPU_RESP, or says what the renderer is to do. Device lock held.</summary>
internal sealed class ContextCommands(Rendering rendering, ResourceTable resources, ScanoutCommands scanouts)
{
    internal uint GetCapsetInfo(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuGetCapsetInfo request) || request.CapsetIndex >= (uint)rendering.Capsets.Count)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        RendererCapset capset = rendering.Capsets[(int)request.CapsetIndex];
        command.Respond(new VirtioGpuRespCapsetInfo
        {
            Hdr = command.ResponseHeader(VIRTIO_GPU_RESP_OK_CAPSET_INFO),
            CapsetId = capset.Id,
            CapsetMaxVersion = capset.MaxVersion,
            CapsetMaxSize = (uint)capset.Size,
        });
        return ControlCommand.Answered;
    }

    internal uint GetCapset(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuGetCapset request) || !TryFind(request.CapsetId, out RendererCapset capset) || request.CapsetVersion > capset.MaxVersion)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        uint answer = rendering.Call.Begin(RendererCallKind.GetCapset);
        rendering.Call.Capset = request.CapsetId;
        rendering.Call.CapsetVersion = request.CapsetVersion;
        rendering.Call.TakeData(capset.Size).Clear();
        return answer;
    }

    internal uint Create(in ControlCommand command, bool isContextInit)
    {
        if (!command.TryRead(out VirtioGpuCtxCreate request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        uint context = command.Hdr.CtxId;
        uint capset = isContextInit ? request.ContextInit & VIRTIO_GPU_CONTEXT_INIT_CAPSET_ID_MASK : 0;
        if (context == 0 || rendering.Contexts.Contains(context))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
        }

        if (capset != 0 && !TryFind(capset, out _))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!rendering.Contexts.TryAdd(context))
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        uint answer = rendering.Call.Begin(RendererCallKind.CreateContext, context);
        rendering.Call.Capset = capset;
        ReadOnlySpan<byte> name = request.DebugName;
        name = name[..(int)Math.Min(request.Nlen, DEBUG_NAME_LENGTH)];
        name.CopyTo(rendering.Call.TakeData(name.Length));
        return answer;
    }

    internal uint Destroy(in ControlCommand command) => rendering.Contexts.Contains(command.Hdr.CtxId)
        ? rendering.Call.Begin(RendererCallKind.DestroyContext, command.Hdr.CtxId)
        : VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;

    /// <summary>A picture that was ours becomes the renderer's first.</summary>
    internal uint AttachResource(in ControlCommand command)
    {
        if (!TryFind(command, out GpuResource? resource, out uint answer))
        {
            return answer;
        }

        if (resource is Resource2D picture)
        {
            // The chain comes again when that is done.
            return Hand(picture, command.Iommu) ? ControlCommand.Left : VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        return resource is Resource3D
            ? rendering.Call.Begin(RendererCallKind.AttachResource, command.Hdr.CtxId, resource.Id)
            : VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
    }

    internal uint DetachResource(in ControlCommand command) =>
        !TryFind(command, out GpuResource? resource, out uint answer) ? answer
        : resource is Resource3D ? rendering.Call.Begin(RendererCallKind.DetachResource, command.Hdr.CtxId, resource.Id)
        : VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;

    /// <summary>Data path: allocates nothing once it has seen its longest command.</summary>
    internal uint Submit(in ControlCommand command)
    {
        uint header = (uint)Unsafe.SizeOf<VirtioGpuCmdSubmit>();
        if (!command.TryRead(out VirtioGpuCmdSubmit request) || request.Size % sizeof(uint) != 0 || command.Length < header + (ulong)request.Size)
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!rendering.Contexts.Contains(command.Hdr.CtxId))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
        }

        if (request.Size > MaxCommands)
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        if (!rendering.MayRun((command.Hdr.Flags & VIRTIO_GPU_FLAG_FENCE) != 0, out long again))
        {
            return rendering.LeaveUntil(again);
        }

        uint answer = rendering.Call.Begin(RendererCallKind.Submit, command.Hdr.CtxId);
        if (!command.TryReadAt(header, rendering.Call.TakeData((int)request.Size)))
        {
            rendering.WithdrawRun();
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        return answer;
    }

    private bool Hand(Resource2D picture, Vfio.Iommu.Type2 iommu)
    {
        Resource3D made = resources.Hand(picture, iommu);
        bool fits = scanouts.Replace(picture, made);
        picture.Host.Dispose();
        made.Due = RendererDue.Create | (made.Backing is null ? RendererDue.None : RendererDue.Back | RendererDue.Fill) | RendererDue.Show;
        rendering.Await(made);
        return fits;
    }

    private bool TryFind(in ControlCommand command, [NotNullWhen(true)] out GpuResource? resource, out uint answer)
    {
        resource = null;
        answer = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        if (!command.TryRead(out VirtioGpuResourceOnly request))
        {
            return false;
        }

        if (!rendering.Contexts.Contains(command.Hdr.CtxId))
        {
            answer = VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
            return false;
        }

        answer = VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        return resources.TryFind(request.ResourceId, out resource);
    }

    private bool TryFind(uint id, out RendererCapset capset)
    {
        foreach (RendererCapset one in rendering.Capsets)
        {
            if (one.Id == id)
            {
                capset = one;
                return true;
            }
        }

        capset = default;
        return false;
    }
}
