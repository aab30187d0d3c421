using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser.Messages;
using DmaUnmapMessage = Vgpu.VfioUser.Messages.DmaUnmap;
using static Vgpu.VfioUser.Messages.VfioDeviceFeature;
using static Vgpu.VfioUser.Messages.VfioDeviceFeatureFlags;

namespace Vgpu.VfioUser;

// Migration and the pages that the device wrote to.
public sealed partial class VfioUserClient
{
    /// <summary>Whether the device has a feature, with all of these methods.</summary>
    public bool HasFeature(VfioDeviceFeature feature, VfioDeviceFeatureFlags methods = None)
    {
        var request = new DeviceFeature { Argsz = DeviceFeature.Length, Flags = (VfioDeviceFeatureFlags)feature | methods | VFIO_DEVICE_FEATURE_PROBE };
        try
        {
            _ = Request(VfioUserCommand.VFIO_USER_DEVICE_FEATURE, BytesOf(ref request));
            return true;
        }
        catch (VfioUserException e) when (e.Errno is Errno.ENOTTY or Errno.EINVAL or Errno.ENOTSUP)
        {
            return false;
        }
    }

    /// <summary>VFIO_DEVICE_FEATURE_MIGRATION.</summary>
    public VfioMigrationFlags GetMigration() => (VfioMigrationFlags)Get<ulong>(VFIO_DEVICE_FEATURE_MIGRATION);

    /// <summary>VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: where the device is.</summary>
    public VfioDeviceState GetDeviceState() => Get<MigrationState>(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE).DeviceState;

    /// <summary>VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: takes the device there; it is there when this returns.</summary>
    public void SetDeviceState(VfioDeviceState state)
    {
        var data = new MigrationState { DeviceState = state };
        Set(VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, BytesOf(ref data));
    }

    /// <summary>VFIO_USER_MIG_DATA_READ: how many bytes there were; fewer than asked for at the end.</summary>
    public int MigDataRead(Span<byte> data)
    {
        var request = new MigrationData { Argsz = (uint)(MigrationData.Length + data.Length), Size = (uint)data.Length };
        MigrationData reply = Exchange<MigrationData, MigrationData>(VfioUserCommand.VFIO_USER_MIG_DATA_READ, request, out ReadOnlySpan<byte> rest);
        if (reply.Size != rest.Length || rest.Length > data.Length)
        {
            throw Malformed(VfioUserCommand.VFIO_USER_MIG_DATA_READ);
        }

        rest.CopyTo(data);
        return rest.Length;
    }

    /// <summary>VFIO_USER_MIG_DATA_WRITE: at most max_data_xfer_size bytes.</summary>
    public void MigDataWrite(ReadOnlySpan<byte> data)
    {
        byte[] payload = new byte[MigrationData.Length + data.Length];
        var writer = new WireWriter(payload);
        writer.Write(new MigrationData { Argsz = MigrationData.Length, Size = (uint)data.Length });
        writer.Write(data);
        _ = Request(VfioUserCommand.VFIO_USER_MIG_DATA_WRITE, payload);
    }

    /// <summary>VFIO_DEVICE_FEATURE_DMA_LOGGING_START: no ranges track every write. The page size that is tracked.</summary>
    public ulong StartDmaLogging(ulong pageSize, params ReadOnlySpan<DmaLoggingRange> ranges)
    {
        byte[] data = new byte[DmaLoggingControl.Length + (ranges.Length * DmaLoggingRange.Length)];
        var writer = new WireWriter(data);
        writer.Write(new DmaLoggingControl { PageSize = pageSize, RangeCount = (uint)ranges.Length });
        writer.Write(MemoryMarshal.AsBytes(ranges));
        var reader = new WireReader(Set(VFIO_DEVICE_FEATURE_DMA_LOGGING_START, data));
        return reader.TryRead(out DeviceFeature _) && reader.TryRead(out DmaLoggingControl control)
            ? control.PageSize
            : throw Malformed(VfioUserCommand.VFIO_USER_DEVICE_FEATURE);
    }

    /// <summary>VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP.</summary>
    public void StopDmaLogging() => Set(VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, []);

    /// <summary>VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: bit n % 8 of byte n / 8 is page n. What is reported is forgotten.</summary>
    public byte[] ReportDmaLogging(ulong iova, ulong size, ulong pageSize)
    {
        var report = new DmaLoggingReport { Iova = iova, Size = size, PageSize = pageSize };
        return Get(VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, BytesOf(ref report))[DmaLoggingReport.Length..].ToArray();
    }

    /// <summary>VFIO_USER_DMA_UNMAP with VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP: unmaps, and what was written to there.</summary>
    public byte[] DmaUnmapWithBitmap(ulong iova, ulong size, ulong pageSize)
    {
        ulong words = ((((size - 1) / pageSize) / 64) + 1) * sizeof(ulong);
        byte[] payload = new byte[DmaUnmapMessage.Length + DirtyBitmap.Length];
        var writer = new WireWriter(payload);
        writer.Write(new DmaUnmapMessage
        {
            Argsz = (uint)((ulong)payload.Length + words),
            Flags = DmaUnmapFlags.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
            Address = iova,
            Size = size,
        });
        writer.Write(new DirtyBitmap { PageSize = pageSize, Size = words });
        ReadOnlySpan<byte> reply = Request(VfioUserCommand.VFIO_USER_DMA_UNMAP, payload);
        return (ulong)reply.Length == (ulong)payload.Length + words
            ? reply[payload.Length..].ToArray()
            : throw Malformed(VfioUserCommand.VFIO_USER_DMA_UNMAP);
    }

    private T Get<T>(VfioDeviceFeature feature)
        where T : unmanaged => MemoryMarshal.TryRead(Get(feature, []), out T value) ? value : throw Malformed(VfioUserCommand.VFIO_USER_DEVICE_FEATURE);

    // The data of the reply, valid until the next call.
    private ReadOnlySpan<byte> Get(VfioDeviceFeature feature, ReadOnlySpan<byte> data)
    {
        Span<byte> payload = stackalloc byte[DeviceFeature.Length + data.Length];
        var writer = new WireWriter(payload);
        writer.Write(new DeviceFeature { Argsz = VfioUserLimits.MaxMessageSize, Flags = (VfioDeviceFeatureFlags)feature | VFIO_DEVICE_FEATURE_GET });
        writer.Write(data);
        var reader = new WireReader(Request(VfioUserCommand.VFIO_USER_DEVICE_FEATURE, payload));
        return reader.TryRead(out DeviceFeature reply) && reply.Argsz == DeviceFeature.Length + reader.Rest.Length && reader.Rest.Length >= data.Length
            ? reader.Rest
            : throw Malformed(VfioUserCommand.VFIO_USER_DEVICE_FEATURE);
    }

    // The reply, valid until the next call: the request again.
    private ReadOnlySpan<byte> Set(VfioDeviceFeature feature, ReadOnlySpan<byte> data)
    {
        byte[] payload = new byte[DeviceFeature.Length + data.Length];
        var writer = new WireWriter(payload);
        writer.Write(new DeviceFeature { Argsz = (uint)payload.Length, Flags = (VfioDeviceFeatureFlags)feature | VFIO_DEVICE_FEATURE_SET });
        writer.Write(data);
        return Request(VfioUserCommand.VFIO_USER_DEVICE_FEATURE, payload);
    }
}
