namespace Vgpu.Control;

/// <summary>
/// How many connections there may be at once, so that no user of the machine keeps another, or the operator, from asking.
/// Any thread.
/// </summary>
internal sealed class ConnectionBudget
{
    internal const int OfStrangerEach = 16;
    internal const int OfStrangers = 128;
    internal const int OfTrusted = 256;
    internal const int OfMetrics = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Door, uint), int> _each = [];
    private int _strangers;
    private int _trusted;
    private int _metrics;

    /// <summary>False where there are enough; true is given back by <see cref="Leave"/>.</summary>
    internal bool TryEnter(Caller caller)
    {
        lock (_lock)
        {
            ref int all = ref All(caller);
            int each = _each.GetValueOrDefault((caller.Door, caller.Uid));
            (int most, int mostEach) = caller switch
            {
                { Door: Door.Metrics } => (OfMetrics, OfMetrics),
                { SeesAll: true } => (OfTrusted, OfTrusted),
                _ => (OfStrangers, OfStrangerEach),
            };
            if (all >= most || each >= mostEach)
            {
                return false;
            }

            all++;
            _each[(caller.Door, caller.Uid)] = each + 1;
            return true;
        }
    }

    internal void Leave(Caller caller)
    {
        lock (_lock)
        {
            All(caller)--;
            if (--_each[(caller.Door, caller.Uid)] == 0)
            {
                _ = _each.Remove((caller.Door, caller.Uid));
            }
        }
    }

    private ref int All(Caller caller)
    {
        if (caller.Door == Door.Metrics)
        {
            return ref _metrics;
        }

        if (caller.SeesAll)
        {
            return ref _trusted;
        }

        return ref _strangers;
    }
}
