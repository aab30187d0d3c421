namespace Vgpu.Gpus.Shares;

/// <summary>
/// One vGPU at the table of its parent: an adaptive round robin of turns, in which the next is who has used the least over its
/// weight. Only who has the turn submits; what overshoots a slice is charged like all else, and paid back by waiting.
/// </summary>
/// <remarks>
/// <para>
/// A turn ends when its slice is over and nothing is in flight any more, when its holder has had nothing to do for a quarter of a
/// slice while somebody waits, or one slice after its own end whatever is still in flight: who hangs, or was killed, costs the
/// others no more than that. For one whose jobs are longer on average, it is one such job after its end, <see cref="LongestOvershoot"/>
/// at most. Where nobody else waits it is renewed and costs nothing.
/// </para>
/// <para>
/// Charged is the time from submission to fence. Where work of several vGPUs was in flight at the same time, which exclusive turns
/// avoid and long jobs bring about, each has its part of it: the host's driver lets them run in turns of its own.
/// </para>
/// </remarks>
public sealed class ShareGate : IShareGate
{
    /// <summary>Nobody is told to ask again later than that, in nanoseconds: what the operator changes is in force by then.</summary>
    public const long LongestWait = 50_000_000;

    /// <summary>For no longer than that is work waited for that overshoots its slice, in nanoseconds: the longest slice.</summary>
    public const long LongestOvershoot = ShareOptions.MaxTimeSlice;

    /// <summary>Submissions in flight at a time.</summary>
    public const int MaxInFlight = 320;

    // The same where turns are taken: an average says nothing of the next ones, and a guest may make them long on purpose.
    private const int MaxInTurn = 4;

    // Parts of a slice: how long an idle turn is kept, how long a waiter has before the one behind it may take the turn, and how
    // soon a waiter looks again while it may be over early, or is overdue.
    private const int IdleParts = 4;
    private const int PatienceParts = 4;
    private const int LookParts = 4;
    private const int OverdueParts = 16;
    private const int TakeAttempts = 3;

    private readonly ShareTable _table;
    private readonly int _index;
    private readonly long[] _begun = new long[MaxInFlight];
    private readonly long _slice;
    private int _oldest;
    private int _inFlight;
    private int _inTurn;
    private long _chargedUntil;
    private long _othersBusy;
    private long _idleSince;
    private long _othersBusyWhenIdle;
    private long _wantedSince;
    private long _lastFinish;
    private long _jobs;
    private double _averageJob;

    /// <summary>
    /// For the vGPU's one renderer, which a predecessor no longer is. Takes the table over. Throws <see cref="ArgumentException"/>
    /// where the vGPU has no slot.
    /// </summary>
    public ShareGate(ShareTable table, Guid owner, long now)
    {
        ArgumentNullException.ThrowIfNull(table);
        _table = table;
        _index = table.Find(owner);
        if (_index < 0)
        {
            throw new ArgumentException($"{owner} has no slot in this table", nameof(owner));
        }

        _slice = table.TimeSlice;
        table.Bury(owner, now);
        Volatile.Write(ref Own.EligibleAt, Math.Max(Own.EligibleAt, now));
        _idleSince = now;
        _othersBusyWhenIdle = OthersBusy(now);
    }

    /// <inheritdoc/>
    public bool TakesTurns => _table.Totals().TakesTurns;

    private ref ShareSlot Own => ref _table.Slot(_index);

    /// <inheritdoc/>
    public bool MayRun(long now, out long askAgain)
    {
        askAgain = now;
        ShareTotals totals = _table.Totals();
        if (_inFlight != 0)
        {
            // The more often, the better it is known with how many others the GPU was shared.
            Charge(now);
        }

        if (_inFlight == MaxInFlight || (totals.TakesTurns && IsDeep))
        {
            askAgain = now + (_slice / LookParts);
            return false;
        }

        if (!totals.TakesTurns)
        {
            return Begin(now);
        }

        Want(now, totals);
        for (int attempt = 0; attempt < TakeAttempts; attempt++)
        {
            long turn = _table.Turn;
            (int rank, int rivals) = RankOf(now, totals);
            bool isOwn = ShareTable.HolderOf(turn) == _index;
            if (isOwn && now < Own.SliceEnd && Fits(now, rivals))
            {
                return Begin(now);
            }

            long free = FreeAt(turn, now, out long end);
            long eligible = Volatile.Read(ref Own.EligibleAt);
            long at = isOwn && rivals == 0 ? now : free + (rank * (_slice / PatienceParts));
            if (at > now || eligible > now)
            {
                askAgain = LookAt(now, rank, end, at, eligible);
                Volatile.Write(ref Own.WantsUntil, askAgain);
                return false;
            }

            if (TryTake(turn, now))
            {
                return Begin(now);
            }
        }

        // Others were quicker: one of them has the turn.
        askAgain = now + (_slice / PatienceParts);
        Volatile.Write(ref Own.WantsUntil, askAgain);
        return false;
    }

    /// <inheritdoc/>
    public void Finished(long now)
    {
        if (_inFlight == 0)
        {
            return;
        }

        long length = Math.Max(0, now - Math.Max(_begun[_oldest], _lastFinish));
        _oldest = (_oldest + 1) % MaxInFlight;
        _inFlight--;
        _lastFinish = now;
        _jobs = Math.Min(_jobs + 1, _table.AveragingFactor);
        _averageJob += (length - _averageJob) / _jobs;
        Volatile.Write(ref Own.AverageJob, (long)_averageJob);
        Charge(now);
    }

    /// <inheritdoc/>
    public void Reset(long now)
    {
        if (_inFlight != 0)
        {
            (_inFlight, _lastFinish) = (0, now);
            Charge(now);
        }

        _wantedSince = 0;
        Volatile.Write(ref Own.WantsUntil, 0);
    }

    public void Dispose() => _table.Dispose();

    /// <summary>What a time is in virtual time, for a weight in <see cref="ShareTotals.Unit"/>s.</summary>
    internal static long Virtual(long time, long weight) => time * ShareTotals.Unit / weight;

    // A turn may be over before its time: a waiter looks now and then, the first one in line closely once the slice is over.
    private long LookAt(long now, int rank, long end, long at, long eligible)
    {
        bool isOverdue = now >= end;
        long look = now + (_slice / (isOverdue && rank == 0 ? OverdueParts : LookParts));
        long next = Math.Min(at, isOverdue ? look : Math.Min(look, end));
        return Math.Clamp(Math.Max(next, eligible), now + (_slice / OverdueParts), now + LongestWait);
    }

    // Enough is in flight to keep the GPU busy: whoever comes would have to wait for the rest.
    private bool IsDeep => _inFlight >= MaxInTurn || (_inFlight >= 2 && (_jobs == 0 || (_inFlight + 1) * _averageJob > _slice));

    // Something is to be submitted.
    private void Want(long now, ShareTotals totals)
    {
        if (_wantedSince != 0)
        {
            return;
        }

        _wantedSince = now;
        if (_inFlight != 0)
        {
            return;
        }

        // Who did nothing has saved up no more than a slice; and has paid long ago what it owed, where nobody else had use of the GPU.
        long weight = totals.WeightOf(Terms);
        long virtualTime = Own.VirtualTime;
        long idle = now - _idleSince;
        if (idle > _slice)
        {
            Volatile.Write(ref Own.EligibleAt, Math.Max(Own.EligibleAt, now));
        }

        if (idle > _table.AveragingFactor * _slice)
        {
            long unused = Math.Max(0, idle - Math.Max(0, OthersBusy(now) - _othersBusyWhenIdle));
            virtualTime = Math.Min(virtualTime, virtualTime - Virtual(unused, weight));
        }

        Volatile.Write(ref Own.VirtualTime, Math.Max(virtualTime, _table.VirtualTime - Virtual(_slice, weight)));
    }

    // How many of those who wait are to run before this one, and how many there are.
    private (int Rank, int Rivals) RankOf(long now, ShareTotals totals)
    {
        long own = VirtualTimeOf(_index, now, totals);
        int rank = 0;
        int rivals = 0;
        for (int i = 0; i < _table.Highest; i++)
        {
            ref ShareSlot slot = ref _table.Slot(i);
            if (i == _index || Volatile.Read(ref slot.Terms) == 0 || Volatile.Read(ref slot.EligibleAt) > now)
            {
                continue;
            }

            // One that has not asked again when it should have is stopped, or gone.
            long until = Volatile.Read(ref slot.WantsUntil);
            if (until == 0 || until + _slice < now)
            {
                continue;
            }

            rivals++;
            long other = VirtualTimeOf(i, now, totals);
            if (other < own || (other == own && i < _index))
            {
                rank++;
            }
        }

        return (rank, rivals);
    }

    private long VirtualTimeOf(int index, long now, ShareTotals totals)
    {
        ref ShareSlot slot = ref _table.Slot(index);
        long since = Volatile.Read(ref slot.InFlightSince);
        long open = since == 0 ? 0 : Math.Max(0, now - since);
        return Volatile.Read(ref slot.VirtualTime) + (open == 0 ? 0 : Virtual(open, totals.WeightOf(ShareTerms.OfWord(Volatile.Read(ref slot.Terms)))));
    }

    // When the turn is over, as far as can be said now, and when its slice is.
    private long FreeAt(long turn, long now, out long end)
    {
        end = now;
        int holder = ShareTable.HolderOf(turn);
        if (holder < 0)
        {
            return 0;
        }

        ref ShareSlot slot = ref _table.Slot(holder);
        long begin = Math.Min(ShareTable.BeginOf(turn), now);
        if (Volatile.Read(ref slot.Terms) == 0)
        {
            return begin;
        }

        end = Math.Clamp(Volatile.Read(ref slot.SliceEnd), begin, begin + _slice);
        if (Volatile.Read(ref slot.InFlightSince) != 0)
        {
            return end + Math.Clamp(Volatile.Read(ref slot.AverageJob), _slice, LongestOvershoot);
        }

        long last = Math.Clamp(Volatile.Read(ref slot.LastActive), begin, now);
        return last >= end ? last : Math.Min(end, last + (_slice / IdleParts));
    }

    // Whether another job is to be begun in this turn: the first always, one more where an average one has more of itself within
    // the slice than beyond it.
    private bool Fits(long now, int rivals)
    {
        if (rivals == 0 || _inTurn == 0 || (_jobs > 0 && now + ((_inFlight + 0.5) * _averageJob) <= Own.SliceEnd))
        {
            return true;
        }

        if (_inFlight == 0)
        {
            Volatile.Write(ref Own.SliceEnd, now);
        }

        return false;
    }

    private bool TryTake(long turn, long now)
    {
        // Before anybody can see that the turn is this one's; of no meaning otherwise.
        Volatile.Write(ref Own.SliceEnd, now + _slice);
        Volatile.Write(ref Own.LastActive, now);
        if (!_table.TryTake(ref turn, _index, now))
        {
            return false;
        }

        Volatile.Write(ref Own.StartTag, Own.VirtualTime);
        _inTurn = 0;
        return true;
    }

    private bool Begin(long now)
    {
        if (_inFlight == 0)
        {
            _chargedUntil = now;
            _othersBusy = OthersBusy(now);
            Volatile.Write(ref Own.InFlightSince, now);
        }

        _begun[(_oldest + _inFlight) % MaxInFlight] = now;
        _inFlight++;
        _inTurn++;
        if (_wantedSince != 0)
        {
            Volatile.Write(ref Own.Throttled, Own.Throttled + Math.Max(0, now - _wantedSince));
            _wantedSince = 0;
        }

        Volatile.Write(ref Own.WantsUntil, 0);
        Volatile.Write(ref Own.LastActive, now);
        return true;
    }

    // What has been in flight since the last time.
    private void Charge(long now)
    {
        ref ShareSlot own = ref Own;
        long length = Math.Max(0, now - _chargedUntil);
        long others = OthersBusy(now);
        long used = Part(length, Math.Max(0, others - _othersBusy));
        ShareTotals totals = _table.Totals();
        long weight = totals.WeightOf(Terms);

        Volatile.Write(ref own.Sequence, own.Sequence + 1);
        Volatile.Write(ref own.Busy, own.Busy + length);
        Volatile.Write(ref own.InFlightSince, _inFlight == 0 ? 0 : now);
        Volatile.Write(ref own.Sequence, own.Sequence + 1);
        Volatile.Write(ref own.Used, own.Used + used);
        Volatile.Write(ref own.VirtualTime, own.VirtualTime + Virtual(used, weight));
        if (Terms.Policy == SharePolicy.FixedShare)
        {
            // It may catch up with what it could not have lately, and with no more than that.
            long earliest = _chargedUntil - (_table.AveragingFactor * _slice);
            Volatile.Write(ref own.EligibleAt, Math.Max(own.EligibleAt, earliest) + (used * totals.Whole * ShareTotals.Unit / weight));
        }
        else
        {
            Volatile.Write(ref own.EligibleAt, 0);
        }

        Volatile.Write(ref own.LastActive, now);
        (_chargedUntil, _othersBusy) = (now, others);
        (_idleSince, _othersBusyWhenIdle) = (now, others);
    }

    // What is one's own of a time in which others had work in flight for so long in all. Mostly that was one other at a time, each of
    // the two having half; where there must have been more of them, their mean number says.
    private static long Part(long length, long overlap) => overlap <= length
        ? length - (overlap / 2)
        : (long)(length * (length / ((double)length + overlap)));

    private ShareTerms Terms => ShareTerms.OfWord(Volatile.Read(ref Own.Terms));

    // The sum over all others.
    private long OthersBusy(long now)
    {
        long busy = 0;
        for (int i = 0; i < _table.Highest; i++)
        {
            busy += i == _index ? 0 : _table.BusyOf(i, now);
        }

        return busy;
    }
}
