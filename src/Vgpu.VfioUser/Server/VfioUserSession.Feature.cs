using System.Numerics;
using Vgpu.Linux;
using Vgpu.VfioUser.Messages;
using static Vgpu.VfioUser.Messages.VfioDeviceFeature;
using static Vgpu.VfioUser.Messages.VfioDeviceFeatureFlags;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_DEVICE_FEATURE: migration states, and which pages the device wrote to. Errors are those of vfio_ioctl_device_feature
// in drivers/vfio/vfio_main.c: ENOTTY for a feature that is not there, EINVAL for what can't be done with it.
internal sealed partial class VfioUserSession
{
    private const VfioDeviceFeatureFlags Methods = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;

    private Errno DeviceFeature(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out DeviceFeature request)
            || request.Argsz < Messages.DeviceFeature.Length
            || (request.Flags & ~(VFIO_DEVICE_FEATURE_MASK | Methods | VFIO_DEVICE_FEATURE_PROBE)) != 0)
        {
            return Errno.EINVAL;
        }

        VfioDeviceFeatureFlags supported = MethodsOf(request.Feature);
        if (supported == None)
        {
            return Errno.ENOTTY;
        }

        VfioDeviceFeatureFlags wanted = request.Flags & Methods;
        if ((wanted & ~supported) != 0)
        {
            return Errno.EINVAL;
        }

        if ((request.Flags & VFIO_DEVICE_FEATURE_PROBE) != 0)
        {
            return Echo(header, payload);
        }

        return (wanted, request.Feature) switch
        {
            (VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_MIGRATION) => Answer(header, request, (ulong)_device.Migration.Flags),
            (VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE) =>
                Answer(header, request, new MigrationState { DeviceState = _device.Migration.DeviceState }),
            (VFIO_DEVICE_FEATURE_SET, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE) => SetDeviceState(header, payload, reader),
            (VFIO_DEVICE_FEATURE_SET, VFIO_DEVICE_FEATURE_DMA_LOGGING_START) => DmaLoggingStart(header, payload, reader),
            (VFIO_DEVICE_FEATURE_SET, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP) => DmaLoggingStop(header, payload),
            (VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT) => DmaLoggingReport(header, request, reader),
            _ => Errno.EINVAL,
        };
    }

    private VfioDeviceFeatureFlags MethodsOf(VfioDeviceFeature feature) => feature switch
    {
        VFIO_DEVICE_FEATURE_MIGRATION when _device.Migration.IsSupported => VFIO_DEVICE_FEATURE_GET,
        VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE when _device.Migration.IsSupported => Methods,
        VFIO_DEVICE_FEATURE_DMA_LOGGING_START or VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP => VFIO_DEVICE_FEATURE_SET,
        VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT => VFIO_DEVICE_FEATURE_GET,
        _ => None,
    };

    private Errno SetDeviceState(in VfioUserHeader header, ReadOnlySpan<byte> payload, WireReader reader)
    {
        if (!reader.TryRead(out MigrationState state))
        {
            return Errno.EINVAL;
        }

        Errno errno = _device.Migration.SetDeviceState(state.DeviceState);
        return errno == Errno.None ? Echo(header, payload) : errno;
    }

    // The page size is a hint: what is too small or no power of two becomes the next that can be tracked.
    private Errno DmaLoggingStart(in VfioUserHeader header, ReadOnlySpan<byte> payload, WireReader reader)
    {
        if (!reader.TryRead(out DmaLoggingControl control)
            || reader.Rest.Length != (long)control.RangeCount * DmaLoggingRange.Length
            || control.RangeCount > VfioUserLimits.MaxDmaLoggingRanges)
        {
            return Errno.EINVAL;
        }

        if (_device.Iommu.IsDirtyTracked)
        {
            return Errno.EBUSY;
        }

        ulong pageSize = Math.Max(Vfio.Iommu.Type2.PageSize, BitOperations.RoundUpToPowerOf2(control.PageSize));
        Errno errno = control.RangeCount == 0 ? _device.Iommu.StartDirtyTracking(pageSize) : Errno.None;
        while (errno == Errno.None && reader.TryRead(out DmaLoggingRange range))
        {
            errno = _device.Iommu.StartDirtyTracking(range.Iova, range.Size, pageSize);
        }

        if (errno != Errno.None)
        {
            _device.Iommu.StopDirtyTracking();
            return errno;
        }

        control.PageSize = pageSize;
        Span<byte> reply = _replies.Begin(payload.Length);
        payload.CopyTo(reply);
        var writer = new WireWriter(reply[Messages.DeviceFeature.Length..]);
        writer.Write(control);
        _replies.Commit(header, payload.Length);
        return Errno.None;
    }

    private Errno DmaLoggingStop(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        if (!_device.Iommu.IsDirtyTracked)
        {
            return Errno.EINVAL;
        }

        _device.Iommu.StopDirtyTracking();
        return Echo(header, payload);
    }

    private Errno DmaLoggingReport(in VfioUserHeader header, in DeviceFeature request, WireReader reader)
    {
        if (!reader.TryRead(out DmaLoggingReport report) || !reader.Rest.IsEmpty || !_device.Iommu.IsDirtyTracked)
        {
            return Errno.EINVAL;
        }

        Errno errno = BitmapLength(report.Size, report.PageSize, out int bitmap);
        if (errno != Errno.None)
        {
            return errno;
        }

        int length = Messages.DeviceFeature.Length + Messages.DmaLoggingReport.Length + bitmap;
        if (request.Argsz < length)
        {
            return TooShort(header, request, length);
        }

        Span<byte> reply = _replies.Begin(length);
        errno = ReadDirty(report.Iova, report.Size, report.PageSize, reply[^bitmap..]);
        if (errno != Errno.None)
        {
            return errno;
        }

        var writer = new WireWriter(reply);
        writer.Write(request with { Argsz = (uint)length });
        writer.Write(report);
        _replies.Commit(header, length);
        return Errno.None;
    }

    // Bytes of a bitmap of u64s; E2BIG: more than a message holds.
    private static Errno BitmapLength(ulong size, ulong pageSize, out int length)
    {
        length = 0;
        if (size == 0 || !BitOperations.IsPow2(pageSize))
        {
            return Errno.EINVAL;
        }

        ulong words = (((size - 1) / pageSize) / 64) + 1;
        if (words > VfioUserLimits.MaxDataXferSize / sizeof(ulong))
        {
            return Errno.E2BIG;
        }

        length = (int)words * sizeof(ulong);
        return Errno.None;
    }

    // With the device's lock, so that nobody is between a translation and its write.
    private Errno ReadDirty(ulong iova, ulong size, ulong pageSize, Span<byte> bitmap)
    {
        using (_device.InTurn())
        {
            return _device.Iommu.ReadDirty(iova, size, pageSize, bitmap);
        }
    }

    private Errno Answer<T>(in VfioUserHeader header, in DeviceFeature request, in T data)
        where T : unmanaged
    {
        int length = Messages.DeviceFeature.Length + System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        if (request.Argsz < length)
        {
            return TooShort(header, request, length);
        }

        var writer = new WireWriter(_replies.Begin(length));
        writer.Write(request with { Argsz = (uint)length });
        writer.Write(data);
        _replies.Commit(header, length);
        return Errno.None;
    }

    // The fixed part alone, with the bytes that the whole takes.
    private Errno TooShort(in VfioUserHeader header, in DeviceFeature request, int length)
    {
        var writer = new WireWriter(_replies.Begin(Messages.DeviceFeature.Length));
        writer.Write(request with { Argsz = (uint)length });
        _replies.Commit(header, Messages.DeviceFeature.Length);
        return Errno.None;
    }

    private Errno Echo(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(_replies.Begin(payload.Length));
        _replies.Commit(header, payload.Length);
        return Errno.None;
    }
}
