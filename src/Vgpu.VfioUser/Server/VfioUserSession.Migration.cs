using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

// VFIO_USER_MIG_DATA_READ and VFIO_USER_MIG_DATA_WRITE: a device's state as a stream.
internal sealed partial class VfioUserSession
{
    private Errno MigDataRead(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out MigrationData request)
            || !reader.Rest.IsEmpty
            || request.Size is 0 or > VfioUserLimits.MaxDataXferSize
            || request.Argsz < MigrationData.Length + request.Size)
        {
            return Errno.EINVAL;
        }

        Span<byte> reply = _replies.Begin(MigrationData.Length + (int)request.Size);
        Errno errno = _device.Migration.Read(reply[MigrationData.Length..], out int read);
        if (errno != Errno.None)
        {
            return errno;
        }

        var writer = new WireWriter(reply);
        writer.Write(new MigrationData { Argsz = (uint)(MigrationData.Length + read), Size = (uint)read });
        _replies.Commit(header, MigrationData.Length + read);
        return Errno.None;
    }

    private Errno MigDataWrite(in VfioUserHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        if (!reader.TryRead(out MigrationData request)
            || request.Argsz < MigrationData.Length
            || request.Size is 0 or > VfioUserLimits.MaxDataXferSize
            || reader.Rest.Length != request.Size)
        {
            return Errno.EINVAL;
        }

        Errno errno = _device.Migration.Write(reader.Rest);
        if (errno != Errno.None)
        {
            return errno;
        }

        _ = _replies.Begin(0);
        _replies.Commit(header);
        return Errno.None;
    }
}
