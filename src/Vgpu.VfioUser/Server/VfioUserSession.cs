using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// What one client has negotiated, and the answers to its commands (vfio-user specification, "Protocol
/// Specification"). Each command checks everything that it takes from the client before it touches the device.
/// Connection thread only.
/// </summary>
internal sealed partial class VfioUserSession
{
    private const VfioUserFlags RequestFlags = VfioUserFlags.VFIO_USER_TYPE_MASK | VfioUserFlags.VFIO_USER_NO_REPLY;

    private readonly VfioDevice _device;
    private readonly VfioRegion[] _regions;
    private readonly VfioIrqInfo[] _irqs;
    private readonly ReplyStream _replies;
    private readonly VfioUserCounters _counters;
    private readonly SharedMemoryCheck _sharedMemory;
    private readonly ClientFaultLog _faults;
    private readonly ClientMemory _clientMemory;
    private readonly IConnectionKeeper? _keeper;
    private volatile bool _isNegotiated;

    internal VfioUserSession(
        VfioDevice device,
        ReplyStream replies,
        VfioUserCounters counters,
        SharedMemoryCheck sharedMemory,
        ClientFaultLog faults,
        ClientMemory clientMemory,
        IConnectionKeeper? keeper = null)
    {
        _keeper = keeper;
        _clientMemory = clientMemory;
        _device = device;
        _regions = [.. device.Regions];
        _irqs = [.. device.Irqs];
        _replies = replies;
        _counters = counters;
        _sharedMemory = sharedMemory;
        _faults = faults;
    }

    /// <summary>VFIO_USER_VERSION succeeded, and the device was opened. Any thread.</summary>
    internal bool IsNegotiated
    {
        get => _isNegotiated;
        private set => _isNegotiated = value;
    }

    /// <summary>Why the conversation can't go on; null while it can.</summary>
    internal string? EndReason { get; private set; }

    /// <summary>
    /// Carries one message out and adds its reply. False when the connection is to be closed, after a flush, for
    /// <see cref="EndReason"/>. Descriptors that are not taken stay the caller's to close.
    /// </summary>
    internal bool Handle(in VfioUserHeader header, ReadOnlySpan<byte> payload, ReceivedDescriptors? descriptors)
    {
        _counters.CountRequest(header.Command);
        if (header.Type == VfioUserFlags.VFIO_USER_REPLY)
        {
            EndRepeat();
            return _clientMemory.TryDeliver(header, payload) || End("it sent a reply to nothing that was asked");
        }

        if (header.Command == VfioUserCommand.VFIO_USER_VERSION ? IsNegotiated : !IsNegotiated)
        {
            return End(IsNegotiated ? "it sent VFIO_USER_VERSION twice" : "its first message was not VFIO_USER_VERSION");
        }

        Errno errno = (header.Flags & ~RequestFlags) != 0 || header.Type != VfioUserFlags.VFIO_USER_REQUEST
            ? Errno.EINVAL
            : Dispatch(header, payload, descriptors);
        if (errno != Errno.None)
        {
            _counters.CountRefusal();
            _replies.Fail(header, errno);
            _faults.Refused(header.Command, errno);
        }

        EndRepeat();
        if (_clientMemory.IsBroken)
        {
            return End("it answered an access to its memory with something else");
        }

        return EndReason is null && (IsNegotiated || End("no common version was found"));
    }

    private Errno Dispatch(in VfioUserHeader header, ReadOnlySpan<byte> payload, ReceivedDescriptors? descriptors)
    {
        if (descriptors is not null)
        {
            if (descriptors.Fault != Errno.None)
            {
                return descriptors.Fault;
            }

            if (descriptors.Count > DescriptorLimit(header.Command))
            {
                return Errno.EINVAL;
            }
        }

        switch (header.Command)
        {
            case VfioUserCommand.VFIO_USER_REGION_READ:
                return RegionRead(header, payload);
            case VfioUserCommand.VFIO_USER_REGION_WRITE:
                return RegionWrite(header, payload);
            case VfioUserCommand.VFIO_USER_REGION_WRITE_MULTI:
                return RegionWriteMulti(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_SET_IRQS:
                return SetIrqs(header, payload, descriptors);
            case VfioUserCommand.VFIO_USER_DMA_MAP:
                return DmaMap(header, payload, descriptors);
            case VfioUserCommand.VFIO_USER_DMA_UNMAP:
                return DmaUnmap(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_GET_INFO:
                return DeviceGetInfo(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_INFO:
                return DeviceGetRegionInfo(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_GET_REGION_IO_FDS:
                return DeviceGetRegionIoFds(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_GET_IRQ_INFO:
                return DeviceGetIrqInfo(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_RESET:
                return DeviceReset(header, payload);
            case VfioUserCommand.VFIO_USER_VERSION:
                return Version(header, payload);
            case VfioUserCommand.VFIO_USER_DEVICE_FEATURE:
                return DeviceFeature(header, payload);
            case VfioUserCommand.VFIO_USER_MIG_DATA_READ:
                return MigDataRead(header, payload);
            case VfioUserCommand.VFIO_USER_MIG_DATA_WRITE:
                return MigDataWrite(header, payload);
            default:
                // Unknown, or the server's to ask: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE.
                return Errno.ENOSYS;
        }
    }

    private static int DescriptorLimit(VfioUserCommand command) => command switch
    {
        VfioUserCommand.VFIO_USER_DMA_MAP => 1,
        VfioUserCommand.VFIO_USER_DEVICE_SET_IRQS => VfioUserLimits.MaxMsgFds,
        _ => 0,
    };

    private bool End(string reason)
    {
        EndReason ??= reason;
        return false;
    }
}
