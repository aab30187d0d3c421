using Vgpu.Linux;
using static Vgpu.Vfio.Migration.VfioDeviceState;

namespace Vgpu.Vfio.Migration;

/// <summary>
/// The migration states of a device and the data that goes with them: VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE of
/// linux/vfio.h, with vfio_mig_get_next_state of drivers/vfio/vfio_main.c.
/// </summary>
/// <remarks>Members are the transport's thread's, but <see cref="IsRunning"/>, which any thread may read.</remarks>
public sealed class VfioMigration
{
    // Before each saved state: "vGst", and the version of what follows.
    private const uint Magic = 0x7473_4776;
    private const uint Version = 1;
    private const int HeaderLength = 8;

    private readonly VfioDevice _device;
    private volatile bool _running = true;
    private StateWriter? _data;

    internal VfioMigration(VfioDevice device) => _device = device;

    /// <summary>Whether the device can save and load its state.</summary>
    public bool IsSupported => _device.State is not null;

    /// <summary>What VFIO_DEVICE_FEATURE_MIGRATION answers; None where it is not supported.</summary>
    public VfioMigrationFlags Flags =>
        IsSupported ? VfioMigrationFlags.VFIO_MIGRATION_STOP_COPY | VfioMigrationFlags.VFIO_MIGRATION_PRE_COPY : VfioMigrationFlags.None;

    /// <summary>The state that the device is in.</summary>
    public VfioDeviceState DeviceState { get; private set; } = VFIO_DEVICE_STATE_RUNNING;

    /// <summary>
    /// False in STOP, STOP_COPY, RESUMING and ERROR. It changes with the device's lock held: a worker that looks with the
    /// lock held works as long as it holds it.
    /// </summary>
    public bool IsRunning => _running;

    /// <summary>
    /// Brings the device into a state, over the shortest path. EINVAL: no such state, or no way there (ERROR, the P2P
    /// states, STOP_COPY to PRE_COPY, out of ERROR), or the data of RESUMING is not a state of this device, which leaves
    /// it in ERROR; ENOTTY: the device can't be moved; EBUSY: it can't now (<see cref="IVfioMigratable.IsMovable"/>), and is as
    /// it was, or in STOP where it held something only as it stopped.
    /// </summary>
    public Errno SetDeviceState(VfioDeviceState target)
    {
        if (!IsSupported)
        {
            return Errno.ENOTTY;
        }

        if (target is not (VFIO_DEVICE_STATE_STOP or VFIO_DEVICE_STATE_RUNNING or VFIO_DEVICE_STATE_STOP_COPY
                or VFIO_DEVICE_STATE_RESUMING or VFIO_DEVICE_STATE_PRE_COPY)
            || DeviceState == VFIO_DEVICE_STATE_ERROR
            || (DeviceState, target) == (VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_PRE_COPY))
        {
            return Errno.EINVAL;
        }

        if (target is VFIO_DEVICE_STATE_PRE_COPY or VFIO_DEVICE_STATE_STOP_COPY && DeviceState != target && !IsMovable)
        {
            return Errno.EBUSY;
        }

        while (DeviceState != target)
        {
            VfioDeviceState next = Next(DeviceState, target);
            Errno errno = Go(DeviceState, next);
            if (errno != Errno.None)
            {
                _device.CommitAll();
                return errno;
            }

            DeviceState = next;
            _device.CommitAll();
        }

        return Errno.None;
    }

    /// <summary>
    /// Reads the next bytes of the state, fewer than asked for at its end. In PRE_COPY there are none ahead of STOP_COPY.
    /// EINVAL: in no saving state.
    /// </summary>
    public Errno Read(Span<byte> bytes, out int read)
    {
        read = 0;
        if (DeviceState is not (VFIO_DEVICE_STATE_PRE_COPY or VFIO_DEVICE_STATE_STOP_COPY))
        {
            return Errno.EINVAL;
        }

        read = _data?.Take(bytes) ?? 0;
        return Errno.None;
    }

    /// <summary>Adds bytes of another's state. EINVAL: not in RESUMING; ENOSPC: more than any state of this device has.</summary>
    public Errno Write(ReadOnlySpan<byte> bytes)
    {
        if (DeviceState != VFIO_DEVICE_STATE_RESUMING || _data is not { } data)
        {
            return Errno.EINVAL;
        }

        if (bytes.Length > HeaderLength + _device.State!.MaxStateLength - data.Length)
        {
            return Errno.ENOSPC;
        }

        data.Write(bytes);
        return Errno.None;
    }

    /// <summary>The device was reset, or its client is gone: it runs, whatever state it was in.</summary>
    public void Reset()
    {
        _data = null;
        DeviceState = VFIO_DEVICE_STATE_RUNNING;
        if (!_running)
        {
            Run(true);
        }

        _device.CommitAll();
    }

    /// <summary>
    /// A successor of a device that was in this state; lock held. What was under way with a client's or another's data is not
    /// to be gone on with: that is ERROR.
    /// </summary>
    internal void Restore(VfioDeviceState state)
    {
        DeviceState = state is VFIO_DEVICE_STATE_RUNNING or VFIO_DEVICE_STATE_PRE_COPY or VFIO_DEVICE_STATE_STOP
            ? state
            : VFIO_DEVICE_STATE_ERROR;
        if (DeviceState is VFIO_DEVICE_STATE_STOP or VFIO_DEVICE_STATE_ERROR)
        {
            Run(false);
        }
    }

    // The shortest way, on which no saving state lies but at its ends.
    private static VfioDeviceState Next(VfioDeviceState from, VfioDeviceState to) => (from, to) switch
    {
        (VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY) => to,
        (VFIO_DEVICE_STATE_RUNNING, _) => VFIO_DEVICE_STATE_STOP,
        (VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY) => to,
        (VFIO_DEVICE_STATE_PRE_COPY, _) => VFIO_DEVICE_STATE_RUNNING,
        (VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_PRE_COPY) => VFIO_DEVICE_STATE_RUNNING,
        (VFIO_DEVICE_STATE_STOP, _) => to,
        _ => VFIO_DEVICE_STATE_STOP,
    };

    private Errno Go(VfioDeviceState from, VfioDeviceState to)
    {
        switch ((from, to))
        {
            case (VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP):
                Run(false);
                break;
            case (VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING):
                Run(true);
                break;
            case (VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY):
                Run(false);
                return Save();
            case (VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY):
                return Save();
            case (VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING):
                _data = new StateWriter();
                break;
            case (VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP):
                return Load();
            default:
                _data = null;
                break;
        }

        return Errno.None;
    }

    private void Run(bool running)
    {
        using (_device.InTurn())
        {
            _running = running;
            _device.OnRunning(running);
        }
    }

    private bool IsMovable
    {
        get
        {
            using (_device.InTurn())
            {
                return _device.State!.IsMovable;
            }
        }
    }

    private Errno Save()
    {
        var data = new StateWriter();
        data.Write(Magic);
        data.Write(Version);
        using (_device.InTurn())
        {
            // Again: it ran until just now.
            if (!_device.State!.IsMovable)
            {
                return Errno.EBUSY;
            }

            _device.State.SaveState(data);
        }

        _data = data;
        return Errno.None;
    }

    // In ERROR until all of it is loaded, whatever the device throws.
    private Errno Load()
    {
        StateReader data = _data!.ToReader();
        _data = null;
        DeviceState = VFIO_DEVICE_STATE_ERROR;
        try
        {
            StateReader.Require(data.Read<uint>() == Magic && data.Read<uint>() == Version, "no saved state, or of another version");
            using (_device.InTurn())
            {
                _device.State!.LoadState(data);
            }

            StateReader.Require(data.Left == 0, "more than the state");
            return Errno.None;
        }
        catch (InvalidDataException)
        {
            return Errno.EINVAL;
        }
    }
}
