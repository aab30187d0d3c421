using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;

namespace Vgpu.Cli.Workers;

/// <summary>A device's whole state in a memory file, on its way from one worker to the next: by the states of a migration.</summary>
internal static class SavedState
{
    private const int PieceLength = 1 << 20;

    /// <summary>Null where the device can't be moved. Its connection has yielded.</summary>
    internal static FileDescriptor? Save(VfioDevice device)
    {
        if (!device.Migration.IsSupported || device.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY) != Errno.None)
        {
            return null;
        }

        FileDescriptor file = MemFd.Create("vgpu-state", 0, Seals.None);
        using var stream = new FileStream($"/proc/self/fd/{file.Number}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, PieceLength);
        byte[] piece = new byte[PieceLength];
        while (device.Migration.Read(piece, out int read) == Errno.None && read > 0)
        {
            stream.Write(piece.AsSpan(0, read));
        }

        return file;
    }

    /// <summary>False where these bytes are no state of the device, which has been reset then.</summary>
    internal static bool TryLoad(VfioDevice device, FileDescriptor file)
    {
        VfioMigration migration = device.Migration;
        bool loaded = migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_RESUMING) == Errno.None
            && TryWrite(migration, file)
            && migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING) == Errno.None;
        if (!loaded)
        {
            device.Reset();
            migration.Reset();
        }

        return loaded;
    }

    private static bool TryWrite(VfioMigration migration, FileDescriptor file)
    {
        using var stream = new FileStream($"/proc/self/fd/{file.Number}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, PieceLength);
        byte[] piece = new byte[PieceLength];
        int read;
        while ((read = stream.Read(piece)) > 0)
        {
            if (migration.Write(piece.AsSpan(0, read)) != Errno.None)
            {
                return false;
            }
        }

        return true;
    }
}
