using System.Numerics;
using System.Runtime.InteropServices;

namespace Vgpu.Linux;

/// <summary>
/// Keeps this process alive when a file that somebody else shrinks is touched through a mapping (SIGBUS, mmap(2)): a
/// fault in a guarded range gets a page of zeros there and is counted, any other goes to the handler before. Needed for
/// memory that F_SEAL_SHRINK can't be set on.
/// </summary>
/// <remarks>
/// One handler for the process, installed at the first use and never taken out. Faults may come on any thread, native
/// ones too. A page that was replaced stays replaced until the range is unmapped.
/// </remarks>
public static unsafe class SigBusGuard
{
    /// <summary>Ranges guarded at once, at most.</summary>
    public const int Capacity = 131_072;

    private static readonly Lock _lock = new();
    private static readonly Stack<int> _free = new();
    private static byte* _table;

    /// <summary>Whether there is a handler for this architecture: x86-64 only.</summary>
    public static bool IsAvailable { get; } = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Faults caught since the process began.</summary>
    public static long FaultCount
    {
        get
        {
            lock (_lock)
            {
                // Sound: the table, once there, lives as long as the process.
                return _table == null ? 0 : Volatile.Read(ref *(long*)(_table + SigBusHandler.FaultCountOffset));
            }
        }
    }

    /// <summary>Ranges guarded now.</summary>
    public static int RangeCount
    {
        get
        {
            lock (_lock)
            {
                return _table == null ? 0 : (int)*(long*)(_table + SigBusHandler.SlotsUsedOffset) - _free.Count;
            }
        }
    }

    /// <summary>
    /// Installs the handler now, for a process that gives up the right to do so later. Throws
    /// <see cref="PlatformNotSupportedException"/> where there is none, and <see cref="LinuxException"/>.
    /// </summary>
    public static void Install()
    {
        lock (_lock)
        {
            if (_table != null)
            {
                return;
            }

            if (!IsAvailable)
            {
                throw new PlatformNotSupportedException("SIGBUS can be caught on x86-64 only.");
            }

            // Committed by the kernel as slots are used.
            MemoryMapping table = MemoryMapping.Anonymous(SigBusHandler.HeaderSize + ((ulong)Capacity * SigBusHandler.SlotSize));
            SigBusHandler.Install(table.Pointer);
            _table = table.Pointer;
        }
    }

    /// <summary>Guards a whole mapping; see <see cref="Register(nint, ulong, ulong)"/>.</summary>
    public static int Register(MemoryMapping mapping, ulong pageSize)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        return Register((nint)mapping.Pointer, mapping.Length, pageSize);
    }

    /// <summary>
    /// Guards [<paramref name="address"/>, address + <paramref name="length"/>), a mapping of whole pages of
    /// <paramref name="pageSize"/> bytes (a power of two: the huge page's on hugetlbfs). Any thread. Returns what
    /// <see cref="Unregister"/> wants. Throws <see cref="LinuxException"/> (ENOSPC: <see cref="Capacity"/> reached) and
    /// as <see cref="Install"/>.
    /// </summary>
    public static int Register(nint address, ulong length, ulong pageSize)
    {
        if (!BitOperations.IsPow2(pageSize) || length == 0 || (((ulong)address | length) & (pageSize - 1)) != 0)
        {
            throw new ArgumentException("The range is not whole pages.", nameof(address));
        }

        Install();
        lock (_lock)
        {
            long* used = (long*)(_table + SigBusHandler.SlotsUsedOffset);
            if (!_free.TryPop(out int guard))
            {
                if (*used == Capacity)
                {
                    throw new LinuxException("SIGBUS guard", Errno.ENOSPC);
                }

                guard = (int)*used;
            }

            Write(guard, (ulong)address, (ulong)address + length, pageSize);
            if (guard == *used)
            {
                Volatile.Write(ref *used, guard + 1);
            }

            return guard;
        }
    }

    /// <summary>Ends a guard, once, before the range is unmapped and when nobody touches it any more. Any thread.</summary>
    public static void Unregister(int guard)
    {
        lock (_lock)
        {
            Write(guard, 0, 0, 0);
            _free.Push(guard);
        }
    }

    // Sound: the slot is within the table. A handler that runs meanwhile sees an odd or a changed sequence, and passes on.
    private static void Write(int guard, ulong start, ulong end, ulong pageSize)
    {
        byte* slot = _table + SigBusHandler.HeaderSize + ((long)guard * SigBusHandler.SlotSize);
        ref ulong sequence = ref *(ulong*)(slot + SigBusHandler.SequenceOffset);
        Volatile.Write(ref sequence, sequence + 1);
        Volatile.Write(ref *(ulong*)(slot + SigBusHandler.StartOffset), start);
        Volatile.Write(ref *(ulong*)(slot + SigBusHandler.EndOffset), end);
        Volatile.Write(ref *(ulong*)(slot + SigBusHandler.PageSizeOffset), pageSize);
        Volatile.Write(ref sequence, sequence + 1);
    }
}
