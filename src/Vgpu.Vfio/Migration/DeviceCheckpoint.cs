// A device's state where it outlives the process: two slots in a memory file, of which one number says which one counts.
using Vgpu.Linux;

namespace Vgpu.Vfio.Migration;

/// <summary>
/// What a successor of this process brings a device back from (<see cref="VfioDevice.TryRestore"/>): its saved state, and how
/// many units of work it has committed since, such as the chains of each virtqueue. The process may be killed at any
/// instruction: the next one finds the state before a commit or after it, never a mixture.
/// </summary>
/// <remarks>
/// <para>
/// A new state is written to the slot that does not count, and then one store makes it count; a unit of work that changes no
/// state is one store of 16 bits in the slot that counts. Neither allocates. What a power failure would leave is no concern:
/// the memory goes with the machine.
/// </para>
/// <para>
/// Whoever keeps the file gives it to one process after the other, never to two at a time. What is read from it is taken to be
/// hostile: whoever took over the process before could have written it.
/// </para>
/// <para>Members are called with the device's lock held, but for making and disposing it.</para>
/// </remarks>
public sealed unsafe class DeviceCheckpoint : IDisposable
{
    /// <summary>Bytes of a state that <see cref="CreateFile"/> makes room for; the room is not used until it is written to.</summary>
    public const long DefaultMaxStateLength = 256 << 20;

    /// <summary>Counters of committed work.</summary>
    public const int Counters = 64;

    // "vGck", and the version of the layout and of what the slots hold.
    private const ulong Magic = 0x0000_0001_6b63_4776;
    private const long PageSize = 4096;
    private const int GenerationOffset = 8;

    private readonly MemoryMapping _mapping;
    private readonly long _slotLength;
    private readonly StateWriter _writer = new();

    /// <summary>
    /// Maps the file, which is the caller's again when this returns. Throws <see cref="LinuxException"/>, and
    /// <see cref="ArgumentException"/> where the file is none of <see cref="CreateFile"/>.
    /// </summary>
    public DeviceCheckpoint(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        long size = (long)Math.Min(file.Inspect().Size, long.MaxValue);
        _slotLength = (size - PageSize) / 2 / PageSize * PageSize;
        const Seals Sealed = Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW;
        if (_slotLength <= 0 || (MemFd.GetSeals(file) & Sealed) != Sealed)
        {
            throw new ArgumentException("The file is no checkpoint: it is too short, or can be made shorter.", nameof(file));
        }

        _mapping = MemoryMapping.Share(file, 0, (ulong)size, MemoryProtection.ReadWrite);
    }

    /// <summary>Bytes that a state may have.</summary>
    public long MaxStateLength => _slotLength - sizeof(Slot);

    /// <summary>Grows by one with each state that was committed; 0: there is none.</summary>
    public ulong Generation => Volatile.Read(ref GenerationCell);

    // Sound: the mapping is two slots and a page long at least, and lives until Dispose.
    private ref ulong GenerationCell => ref *(ulong*)(_mapping.Pointer + GenerationOffset);

    /// <summary>
    /// A file for the states of one device, without pages until they are written: <paramref name="maxStateLength"/> is what
    /// <see cref="VfioDevice.CheckpointSize"/> may become. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static FileDescriptor CreateFile(string name, long maxStateLength = DefaultMaxStateLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxStateLength, 1);
        long slot = (maxStateLength + sizeof(Slot) + PageSize - 1) / PageSize * PageSize;
        return MemFd.Create(name, (ulong)(PageSize + (2 * slot)));
    }

    /// <summary>One unit of work more of this counter, 0 to <see cref="Counters"/> - 1, since the state that counts.</summary>
    public void Advance(int counter)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)counter, (uint)Counters, nameof(counter));
        Slot* slot = SlotOf(Generation);
        Volatile.Write(ref slot->Done[counter], (ushort)(slot->Done[counter] + 1));
    }

    /// <summary>Units of work since the state that counts, modulo 2^16.</summary>
    public ushort Done(int counter)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)counter, (uint)Counters, nameof(counter));
        return Volatile.Read(ref SlotOf(Generation)->Done[counter]);
    }

    /// <summary>Unmaps it. After the device.</summary>
    public void Dispose() => _mapping.Dispose();

    /// <summary>
    /// Saves a state that counts from here on, with no work done since. A state that does not fit (false), or a device that
    /// throws, leaves no checkpoint: an old state must not count together with newer work.
    /// </summary>
    internal bool Commit(IVfioMigratable device, VfioDeviceState migration)
    {
        // Whatever was in the file: the next one is in the other slot, and is not 0.
        ulong next = Generation == ulong.MaxValue ? 2 : Generation + 1;
        Slot* slot = SlotOf(next);
        *slot = default;
        bool done = false;
        try
        {
            // Sound: a slot's state lies behind its header, and the writer stays within the room.
            _writer.Begin((byte*)(slot + 1), MaxStateLength);
            device.SaveState(_writer);
            slot->Length = _writer.Length;
            slot->Migration = (ulong)migration;
            done = _writer.Length <= MaxStateLength;
        }
        finally
        {
            *(ulong*)_mapping.Pointer = Magic;
            Volatile.Write(ref GenerationCell, done ? next : 0);
        }

        return done;
    }

    /// <summary>
    /// A copy of the state that counts; null where there is none. Throws <see cref="InvalidDataException"/> where the file
    /// holds something else.
    /// </summary>
    internal StateReader? Read(out VfioDeviceState migration)
    {
        migration = VfioDeviceState.VFIO_DEVICE_STATE_RUNNING;
        ulong generation = Generation;
        if (generation == 0)
        {
            return null;
        }

        StateReader.Require(*(ulong*)_mapping.Pointer == Magic, "no checkpoint, or of another version");
        Slot slot = *SlotOf(generation);
        StateReader.Require(slot.Length >= 0 && slot.Length <= MaxStateLength, "the length of a checkpoint");
        StateReader.Require(slot.Migration <= (ulong)VfioDeviceState.VFIO_DEVICE_STATE_PRE_COPY, "the migration state of a checkpoint");
        migration = (VfioDeviceState)slot.Migration;
        var copy = new StateWriter();
        byte* state = (byte*)(SlotOf(generation) + 1);
        for (long at = 0; at < slot.Length; at += int.MaxValue)
        {
            // Sound: the length was checked against the slot.
            copy.Write(new ReadOnlySpan<byte>(state + at, (int)Math.Min(slot.Length - at, int.MaxValue)));
        }

        return copy.ToReader(isCheckpoint: true);
    }

    // Sound: both slots lie within the mapping.
    private Slot* SlotOf(ulong generation) => (Slot*)(_mapping.Pointer + PageSize + ((long)(generation & 1) * _slotLength));

    private struct Slot
    {
        internal long Length;
        internal ulong Migration;
        internal fixed ushort Done[Counters];
    }
}
