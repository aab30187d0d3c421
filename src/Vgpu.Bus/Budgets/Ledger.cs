namespace Vgpu.Bus.Budgets;

/// <summary>What is taken of one parent's budgets. Used with the lock of <see cref="InstanceTable"/> held.</summary>
internal sealed class Ledger(Parent parent)
{
    private readonly Dictionary<string, ulong> _used = parent.Budgets.Keys.ToDictionary(name => name, _ => 0UL, StringComparer.Ordinal);

    internal Parent Parent => parent;

    internal Dictionary<string, BudgetView> View() => _used.ToDictionary(used => used.Key, used => new BudgetView(used.Value, parent.Budgets[used.Key]), StringComparer.Ordinal);

    /// <summary>Takes <paramref name="after"/> in place of <paramref name="before"/>, of every budget or of none: Exhausted.</summary>
    internal void Replace(Cost before, Cost after)
    {
        foreach ((string name, ulong used) in _used)
        {
            ulong more = after.Of(name) > before.Of(name) ? after.Of(name) - before.Of(name) : 0;
            ulong free = Free(name, used);
            if (more > free)
            {
                throw new BusException(BusError.Exhausted, Explain(name, more, free));
            }
        }

        Force(before, after);
    }

    /// <summary>The same for an instance that runs already, whatever that leaves.</summary>
    internal void Force(Cost before, Cost after)
    {
        foreach (string name in parent.Budgets.Keys)
        {
            _used[name] = _used[name] - before.Of(name) + after.Of(name);
        }
    }

    /// <summary>How many instances of this cost fit in what is left.</summary>
    internal int Fits(Cost each)
    {
        ulong fits = int.MaxValue;
        foreach ((string name, ulong used) in _used)
        {
            if (each.Of(name) > 0)
            {
                fits = Math.Min(fits, Free(name, used) / each.Of(name));
            }
        }

        return (int)fits;
    }

    // An operator may have made a budget smaller than what runs.
    private ulong Free(string name, ulong used) => parent.Budgets[name] > used ? parent.Budgets[name] - used : 0;

    private string Explain(string name, ulong more, ulong free)
    {
        string what = name switch
        {
            Parent.MemoryBudget => $"{free} of {parent.Budgets[name]} bytes of video memory are free and {more} are needed: stop an instance, lower a memory_limit",
            Parent.InstancesBudget => $"all {parent.Budgets[name]} instances run: stop one",
            _ => $"{free} of {parent.Budgets[name]} heads are free and {more} are needed: stop an instance, lower its heads",
        };
        return $"{parent.Name}'s budget '{name}' is used up: {what}, or give the parent more";
    }
}
