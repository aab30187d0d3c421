using Vgpu.Bus.Budgets;

namespace Vgpu.Bus;

/// <summary>
/// One instance as the bus keeps it. <see cref="Gate"/> orders what is done to it; all else is read and written with the
/// lock of <see cref="InstanceTable"/> held, and written by who holds the gate, but for a worker's end.
/// </summary>
internal sealed class Instance(Guid uuid)
{
    internal Guid Uuid => uuid;

    /// <summary>Held for as long as an operation takes, over the disk and the worker host. Before the table's lock.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>False: its UUID and name are taken, and nobody sees it yet, or any more.</summary>
    internal bool Made { get; set; }

    /// <summary>As the file says; null: transient.</summary>
    internal InstanceDefinition? Stored { get; set; }

    /// <summary>As it was started and changed since; null where it does not run, but kept by a transient one that failed.</summary>
    internal InstanceDefinition? Active { get; set; }

    internal InstanceState State { get; set; }

    internal string? Problem { get; set; }

    /// <summary>The daemon lacks its parent or type, or is too old for it: why it can't be started here. Null otherwise.</summary>
    internal string? Unusable { get; set; }

    /// <summary>What it takes of its parent now.</summary>
    internal Cost Charge { get; set; }

    /// <summary>It ran under an earlier daemon, and its worker is gone.</summary>
    internal bool Lost { get; set; }

    /// <summary>Its worker ended for good before its start was through; why.</summary>
    internal string? EarlyEnd { get; set; }

    internal InstanceDefinition Definition => (Active ?? Stored)! with { Persistent = Stored is not null };

    /// <summary>Names that nobody else may take: what runs may have another than its file.</summary>
    internal IEnumerable<string> Names
    {
        get
        {
            if (Active is not null)
            {
                yield return Active.Name;
            }

            if (Stored is not null && Stored.Name != Active?.Name)
            {
                yield return Stored.Name;
            }
        }
    }
}
