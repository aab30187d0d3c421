using Vgpu.Linux;

namespace Vgpu.Gpus.Shares;

/// <summary>
/// The vGPUs of one parent in a memory file that the daemon makes and every worker maps: who may have how much, who has the turn,
/// who waits and what each has used. Nobody waits for another process: whose turn it is follows from what is written here and the
/// monotonic clock, and a worker that stops anywhere is passed by.
/// </summary>
/// <remarks>
/// Any thread and process, each slot written by its own worker alone, by a <see cref="ShareGate"/>. Workers trust each other's
/// program and not its guest: a guest that has taken its worker over has the GPU in its hands, and needs no turns. What it writes
/// here can take time from others, not memory, nor an end of their waits (<see cref="ShareGate.LongestWait"/>).
/// </remarks>
public sealed unsafe class ShareTable : IDisposable
{
    /// <summary>vGPUs at a time.</summary>
    public const int MaxVgpus = 128;

    private const int LayoutVersion = 1;
    private const int TimeSliceAt = 8;
    private const int AveragingFactorAt = 16;
    private const int HighestAt = 24;
    private const int TurnAt = 64;
    private const int SlotsAt = 4096;
    private const int FileLength = SlotsAt + (MaxVgpus * ShareSlot.Size);

    // A turn is one word: when it began, and in the last eight bits whose it is, 1 for the first slot, 0 for nobody's.
    private const int HolderBits = 8;

    // Of a writer that ended within a change, no more is waited for.
    private const int SequenceAttempts = 8;

    private readonly MemoryMapping _memory;

    /// <summary>
    /// Maps a file that <see cref="CreateFile"/> made, which stays the caller's. Throws <see cref="InvalidDataException"/> where it
    /// is none of this version, and <see cref="LinuxException"/>.
    /// </summary>
    public ShareTable(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Inspect().Size != FileLength || (MemFd.GetSeals(file) & Seals.F_SEAL_SHRINK) == 0)
        {
            throw new InvalidDataException("a table of shares has another length, or can be cut");
        }

        _memory = MemoryMapping.Share(file, 0, FileLength, MemoryProtection.ReadWrite);
        if (Volatile.Read(ref Word(0)) != LayoutVersion)
        {
            _memory.Dispose();
            throw new InvalidDataException("a table of shares is of another version");
        }

        TimeSlice = Math.Clamp(Word(TimeSliceAt), ShareOptions.MinTimeSlice, ShareOptions.MaxTimeSlice);
        AveragingFactor = (int)Math.Clamp(Word(AveragingFactorAt), 1, ShareOptions.MaxAveragingFactor);
    }

    /// <summary>Nanoseconds.</summary>
    public long TimeSlice { get; }

    /// <summary>See <see cref="ShareOptions.AveragingFactor"/>.</summary>
    public int AveragingFactor { get; }

    /// <summary>A table without vGPUs. Throws <see cref="ArgumentOutOfRangeException"/> and <see cref="LinuxException"/>.</summary>
    public static FileDescriptor CreateFile(ShareOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        FileDescriptor file = MemFd.Create("vgpu-shares", FileLength);
        try
        {
            using var memory = MemoryMapping.Share(file, 0, FileLength, MemoryProtection.ReadWrite);
            *(long*)(memory.Pointer + TimeSliceAt) = options.TimeSlice;
            *(long*)(memory.Pointer + AveragingFactorAt) = options.AveragingFactor;
            *(long*)memory.Pointer = LayoutVersion;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Gives a vGPU a slot, or other terms where it has one; in force at once. False where the table is full. The daemon's, one
    /// thread at a time. Throws <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    public bool TrySet(Guid owner, ShareTerms terms)
    {
        terms.Validate();
        int index = Find(owner);
        for (int i = 0; index < 0 && i < MaxVgpus; i++)
        {
            if (Volatile.Read(ref Slot(i).Terms) == 0)
            {
                index = i;
                Begin(ref Slot(i), owner);
                Volatile.Write(ref Word(HighestAt), Math.Max(Word(HighestAt), i + 1));
            }
        }

        if (index >= 0)
        {
            Volatile.Write(ref Slot(index).Terms, terms.ToWord());
        }

        return index >= 0;
    }

    /// <summary>The vGPU runs no more. The daemon's, once its worker is gone.</summary>
    public void Remove(Guid owner, long now)
    {
        if (Find(owner) is >= 0 and var index)
        {
            Bury(index, now);
            Volatile.Write(ref Slot(index).Terms, 0);
            Slot(index).Owner = Guid.Empty;
        }
    }

    /// <summary>
    /// The vGPU's worker is gone, whatever it was doing: what it had in flight is charged, and it neither waits nor has a turn. A
    /// successor goes on with what it has used. The daemon's, or the successor's.
    /// </summary>
    public void Bury(Guid owner, long now)
    {
        if (Find(owner) is >= 0 and var index)
        {
            Bury(index, now);
        }
    }

    /// <summary>What a vGPU has had until now; false where it has no slot.</summary>
    public bool TryRead(Guid owner, long now, out ShareUse use)
    {
        int index = Find(owner);
        use = index < 0 ? default : new ShareUse(Volatile.Read(ref Slot(index).Used), Volatile.Read(ref Slot(index).Throttled), BusyOf(index, now));
        return index >= 0;
    }

    /// <summary>Whose slots there are.</summary>
    public IReadOnlyList<Guid> Owners
    {
        get
        {
            var owners = new List<Guid>();
            for (int i = 0; i < Highest; i++)
            {
                if (Volatile.Read(ref Slot(i).Terms) != 0)
                {
                    owners.Add(Slot(i).Owner);
                }
            }

            return owners;
        }
    }

    /// <summary>Unmaps it. No gate of it is used any more.</summary>
    public void Dispose() => _memory.Dispose();

    /// <summary>-1: there is none.</summary>
    internal int Find(Guid owner)
    {
        for (int i = 0; i < Highest; i++)
        {
            if (Volatile.Read(ref Slot(i).Terms) != 0 && Slot(i).Owner == owner)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Slots above have never been anybody's.</summary>
    internal int Highest => (int)Math.Clamp(Volatile.Read(ref Word(HighestAt)), 0, MaxVgpus);

    /// <summary>Whose turn it is and since when; 0: nobody's.</summary>
    internal long Turn => Volatile.Read(ref Word(TurnAt));

    // Sound: within the mapping, whose length was checked and can't change, and aligned.
    internal ref ShareSlot Slot(int index) => ref *(ShareSlot*)(_memory.Pointer + SlotsAt + (index * ShareSlot.Size));

    /// <summary>The slot of a turn's holder; -1: nobody's.</summary>
    internal static int HolderOf(long turn) => (int)Math.Min((turn & ((1 << HolderBits) - 1)) - 1, MaxVgpus - 1);

    internal static long BeginOf(long turn) => turn >> HolderBits;

    /// <summary>Takes the turn, where it is still <paramref name="turn"/>; else that becomes what it is now.</summary>
    internal bool TryTake(ref long turn, int index, long now)
    {
        long was = turn;
        turn = Interlocked.CompareExchange(ref Word(TurnAt), (now << HolderBits) | (uint)(index + 1), was);
        return turn == was;
    }

    internal ShareTotals Totals()
    {
        var totals = default(ShareTotals);
        for (int i = 0; i < Highest; i++)
        {
            if (Volatile.Read(ref Slot(i).Terms) is not 0 and var word)
            {
                totals = totals.With(ShareTerms.OfWord(word));
            }
        }

        return totals;
    }

    /// <summary>What the one whose turn it is had used over its weight when that began: the least of all who waited.</summary>
    internal long VirtualTime => HolderOf(Turn) is >= 0 and var holder ? Volatile.Read(ref Slot(holder).StartTag) : 0;

    /// <summary>For how long a vGPU has had work in flight until now, in nanoseconds.</summary>
    internal long BusyOf(int index, long now)
    {
        ref ShareSlot slot = ref Slot(index);
        for (int attempt = 0; ; attempt++)
        {
            long sequence = Volatile.Read(ref slot.Sequence);
            long since = Volatile.Read(ref slot.InFlightSince);
            long busy = Volatile.Read(ref slot.Busy);
            if (attempt == SequenceAttempts || ((sequence & 1) == 0 && sequence == Volatile.Read(ref slot.Sequence)))
            {
                return busy + (since == 0 ? 0 : Math.Max(0, now - since));
            }
        }
    }

    private static void Begin(ref ShareSlot slot, Guid owner)
    {
        (long virtualTime, long startTag) = (slot.VirtualTime, slot.StartTag);
        slot = new ShareSlot { Owner = owner, VirtualTime = virtualTime, StartTag = startTag };
    }

    private void Bury(int index, long now)
    {
        ref ShareSlot slot = ref Slot(index);
        Volatile.Write(ref slot.WantsUntil, 0);
        long since = Volatile.Read(ref slot.InFlightSince);
        Volatile.Write(ref slot.InFlightSince, 0);
        Volatile.Write(ref slot.Sequence, 0);
        if (since != 0 && now > since)
        {
            // Nobody knows when it died: its successor does not pay for all the time that nobody looked.
            long used = Math.Min(now - since, AveragingFactor * TimeSlice);
            long weight = Totals().WeightOf(ShareTerms.OfWord(Volatile.Read(ref slot.Terms)));
            slot.Used += used;
            Volatile.Write(ref slot.VirtualTime, slot.VirtualTime + ShareGate.Virtual(used, weight));
        }
    }

    // Sound: within the mapping, and aligned.
    private ref long Word(int at) => ref *(long*)(_memory.Pointer + at);
}
