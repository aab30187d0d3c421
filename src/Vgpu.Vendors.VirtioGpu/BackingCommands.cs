// RESOURCE_ATTACH_BACKING, RESOURCE_DETACH_BACKING and TRANSFER_TO_HOST_2D (virtio 1.2, 5.7.6.8): the guest memory behind a resource.
using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>Attaches, detaches and reads backings; each command answers with a VIRTIO_GPU_RESP.</summary>
internal sealed class BackingCommands(ResourceTable resources, Resource3DCommands? rendered)
{
    private const int EntriesPerRead = 256;

    internal uint AttachBacking(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceAttachBacking request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (resource.Backing is not null)
        {
            return VIRTIO_GPU_RESP_ERR_UNSPEC; // As QEMU: a second backing is refused, and the first stays.
        }

        uint response = Attach(command, resource, (uint)Unsafe.SizeOf<VirtioGpuResourceAttachBacking>(), request.NrEntries);
        return response == VIRTIO_GPU_RESP_OK_NODATA && resource is Resource3D one ? rendered!.AttachBacking(one) : response;
    }

    internal uint DetachBacking(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuResourceOnly request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (resource.Backing is null)
        {
            return VIRTIO_GPU_RESP_ERR_UNSPEC;
        }

        if (resource is Resource3D one)
        {
            return rendered!.DetachBacking(one);
        }

        // What a head shows stays: a 2D resource's pixels and a blob's copy are the host's.
        resources.Detach(resource);
        return VIRTIO_GPU_RESP_OK_NODATA;
    }

    /// <summary>Data path: allocates nothing.</summary>
    internal uint TransferToHost2D(in ControlCommand command)
    {
        if (!command.TryRead(out VirtioGpuTransferToHost2D request))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        if (!resources.TryFind(request.ResourceId, out GpuResource? resource))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
        }

        if (resource is Resource3D one)
        {
            return rendered!.Transfer(command, one, request);
        }

        if (resource.Backing is not { } backing)
        {
            return VIRTIO_GPU_RESP_ERR_UNSPEC;
        }

        // A blob of guest memory is the guest's memory: nothing to transfer. Linux sends this for cursors all the same.
        if (resource is not Resource2D picture)
        {
            return VIRTIO_GPU_RESP_OK_NODATA;
        }

        if (!GuestRect.TryWithin(request.R, (uint)picture.Host.Width, (uint)picture.Host.Height, out Rect rect))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        return ControlCommand.ResponseTo(picture.Host.TransferFromGuest(backing, rect, request.Offset));
    }

    /// <summary>
    /// Gives a resource the entries that end the request. Their number must be what is there, each must have a length,
    /// all must be mapped for reading, and a blob needs its size's worth.
    /// </summary>
    internal uint Attach(in ControlCommand command, GpuResource resource, uint offset, uint count)
    {
        uint entrySize = (uint)Unsafe.SizeOf<VirtioGpuMemEntry>();
        if (count == 0 || count > MaxBackingEntries || command.Length != offset + ((ulong)count * entrySize))
        {
            return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
        }

        ulong cost = VideoMemory.CostOfBacking(count);
        if (!resources.Memory.TryCharge(cost))
        {
            return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
        }

        DmaEntry[] entries = ArrayPool<DmaEntry>.Shared.Rent((int)count);
        try
        {
            uint response = ReadEntries(command, offset, entries.AsSpan(0, (int)count), out ulong length);
            if (response == VIRTIO_GPU_RESP_OK_NODATA && resource is GuestBlob blob && length < blob.Size)
            {
                response = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
            }

            if (response == VIRTIO_GPU_RESP_OK_NODATA)
            {
                IommuProtection protection = resource is Resource3D ? Resource3DCommands.Protection : IommuProtection.IOMMU_READ;
                var backing = new DmaScatterList(command.Iommu, entries.AsSpan(0, (int)count), protection, VideoMemory.MaxRunsOf(count));
                response = ControlCommand.ResponseTo(backing.Resolve());
                if (response == VIRTIO_GPU_RESP_OK_NODATA)
                {
                    resource.Backing = backing;
                    resource.BackingCost = cost;
                    return response;
                }
            }

            resources.Memory.Release(cost);
            return response;
        }
        finally
        {
            ArrayPool<DmaEntry>.Shared.Return(entries);
        }
    }

    private static uint ReadEntries(in ControlCommand command, uint offset, Span<DmaEntry> entries, out ulong length)
    {
        // At most 2^18 entries of 2^32 bytes.
        length = 0;
        ulong at = offset;
        Span<VirtioGpuMemEntry> piece = stackalloc VirtioGpuMemEntry[EntriesPerRead];
        for (int done = 0; done < entries.Length;)
        {
            Span<VirtioGpuMemEntry> read = piece[..Math.Min(EntriesPerRead, entries.Length - done)];
            Span<byte> bytes = MemoryMarshal.AsBytes(read);
            if (!command.TryReadAt(at, bytes))
            {
                return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
            }

            foreach (ref readonly VirtioGpuMemEntry entry in read)
            {
                if (entry.Length == 0 || entry.Addr > ulong.MaxValue - entry.Length)
                {
                    return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
                }

                entries[done++] = new DmaEntry(entry.Addr, entry.Length);
                length += entry.Length;
            }

            at += (ulong)bytes.Length;
        }

        return VIRTIO_GPU_RESP_OK_NODATA;
    }
}
