// One command of the control or cursor queue: reads its request, once, and writes its response (virtio 1.2, 5.7.6.7).
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// A command on its chain. A response longer than the driver's buffer is cut at its end, and the used length says how
/// much there is, as in QEMU (virtio_gpu_ctrl_response); nothing is ever written beyond the chain.
/// </summary>
internal readonly ref struct ControlCommand(Virtqueue queue, DescriptorChain chain, Type2 iommu)
{
    private readonly Virtqueue _queue = queue;
    private readonly DescriptorChain _chain = chain;

    /// <summary>Instead of a response: the command has written its response itself.</summary>
    internal const uint Answered = 0;

    /// <summary>Instead of a response: memory that the command names is not mapped at this moment, and it has done nothing.</summary>
    internal const uint Unmapped = 1;

    /// <summary>Instead of a response: the renderer is asked, and its thread answers.</summary>
    internal const uint Deferred = 2;

    /// <summary>Instead of a response: the command has done nothing, and comes again on the renderer's thread.</summary>
    internal const uint Left = 3;

    /// <summary>The driver's memory.</summary>
    internal Type2 Iommu { get; } = iommu;

    /// <summary>The request's header, copied from the guest.</summary>
    internal VirtioGpuCtrlHdr Hdr { get; private init; }

    /// <summary>Bytes of the request.</summary>
    internal ulong Length => _chain.ReadableLength;

    /// <summary>Reads the header. False where the request is shorter than that: the chain has been returned empty.</summary>
    internal static bool TryBegin(Virtqueue queue, DescriptorChain chain, Type2 iommu, out ControlCommand command)
    {
        var bare = new ControlCommand(queue, chain, iommu);
        if (bare.TryRead(out VirtioGpuCtrlHdr hdr))
        {
            command = new ControlCommand(queue, chain, iommu) { Hdr = hdr };
            return true;
        }

        command = bare;
        return false;
    }

    /// <summary>The command whose header was read before, to be answered.</summary>
    internal static ControlCommand Resume(Virtqueue queue, DescriptorChain chain, Type2 iommu, in VirtioGpuCtrlHdr hdr) => new(queue, chain, iommu) { Hdr = hdr };

    /// <summary>
    /// The request as a struct; false where it is shorter. The header in it is a second copy of what the guest may have
    /// changed since: <see cref="Hdr"/> is the one that counts.
    /// </summary>
    [SkipLocalsInit]
    internal bool TryRead<T>(out T request)
        where T : unmanaged
    {
        Unsafe.SkipInit(out request);
        return _chain.Read(0, MemoryMarshal.AsBytes(new Span<T>(ref request)));
    }

    /// <summary>The response to a use of guest memory that ended so; UNSPEC is QEMU's where memory can't be mapped.</summary>
    internal static uint ResponseTo(Errno errno) => errno switch
    {
        Errno.None => VIRTIO_GPU_RESP_OK_NODATA,
        Errno.EINVAL => VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
        Errno.E2BIG => VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
        Errno.EFAULT => Unmapped,
        _ => VIRTIO_GPU_RESP_ERR_UNSPEC,
    };

    /// <summary>What follows the request's struct, from byte <paramref name="offset"/> of the whole request on.</summary>
    internal bool TryReadAt(ulong offset, Span<byte> data) => _chain.Read(offset, data);

    /// <summary>The header of a response: with the request's fence, which is done when this is written.</summary>
    internal VirtioGpuCtrlHdr ResponseHeader(uint type)
    {
        VirtioGpuCtrlHdr hdr = default;
        hdr.Type = type;
        if ((Hdr.Flags & VIRTIO_GPU_FLAG_FENCE) != 0)
        {
            hdr.Flags = Hdr.Flags & (VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX);
            hdr.FenceId = Hdr.FenceId;
            hdr.CtxId = Hdr.CtxId;
            if ((Hdr.Flags & VIRTIO_GPU_FLAG_INFO_RING_IDX) != 0)
            {
                hdr.RingIdx = Hdr.RingIdx;
            }
        }

        return hdr;
    }

    /// <summary>Answers with a header alone.</summary>
    internal void Respond(uint type) => Respond(ResponseHeader(type));

    /// <summary>Answers and returns the chain to the driver.</summary>
    internal void Respond<T>(in T response)
        where T : unmanaged => _queue.Push(_chain.Head, Write(0, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in response))));

    /// <summary>Answers with a header and what follows it.</summary>
    internal void Respond(uint type, ReadOnlySpan<byte> data)
    {
        uint written = Write(type);
        _queue.Push(_chain.Head, written + Write(written, data));
    }

    /// <summary>Writes an answer of a header alone, and returns the chain to nobody: how much there is of it.</summary>
    internal uint Write(uint type)
    {
        VirtioGpuCtrlHdr hdr = ResponseHeader(type);
        return Write(0, MemoryMarshal.AsBytes(new ReadOnlySpan<VirtioGpuCtrlHdr>(in hdr)));
    }

    private uint Write(uint offset, ReadOnlySpan<byte> bytes)
    {
        int length = (int)Math.Min((ulong)bytes.Length, _chain.WritableLength - Math.Min(offset, _chain.WritableLength));

        // Otherwise the driver's buffer left its memory meanwhile.
        return length > 0 && _chain.Write(offset, bytes[..length]) ? (uint)length : 0;
    }
}
