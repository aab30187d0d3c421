// The bus as its control surfaces see it: the API and the tree.
namespace Vgpu.Bus;

/// <summary>
/// vfio_vgpu: parents, types and instances. Members may be called on any thread and throw <see cref="BusException"/>. An
/// instance is named by its UUID or its name.
/// </summary>
public interface IBus
{
    /// <summary>Something happened; see <see cref="Events"/>. Raised without a lock of the bus; a handler does not block.</summary>
    event Action<BusEvent>? Happened;

    IReadOnlyList<ParentView> Parents();

    IReadOnlyList<InstanceView> Instances();

    InstanceView Find(string nameOrUuid);

    /// <summary>
    /// Defines an instance and, where <see cref="CreateRequest.Start"/>, starts it; all of it or nothing. Exists where there is
    /// one of this UUID, defined or running: start that.
    /// </summary>
    InstanceView Create(CreateRequest request);

    /// <summary>
    /// Settings by name, all of them or none; a null value goes back to the type's. Keys <c>name</c>, <c>auto</c> (<c>on</c>,
    /// <c>off</c>), <c>owner</c> (<c>user:group</c>) and <c>after</c> (names with commas between) are taken too. What is so
    /// already is no change. Of a running instance what it runs with changes, and its definition.
    /// </summary>
    InstanceView Set(string nameOrUuid, IReadOnlyDictionary<string, string?> settings);

    /// <summary>As defined; one that runs is left as it is.</summary>
    InstanceView Start(string nameOrUuid);

    /// <summary>A transient instance is gone after it. One that does not run is left as it is; one that failed is no longer that.</summary>
    void Stop(string nameOrUuid);

    InstanceView Upgrade(string nameOrUuid);

    /// <summary>Stops it where it runs and takes its definition away. Busy where a client is attached, unless forced.</summary>
    void Remove(string nameOrUuid, bool force);

    /// <summary>The last events, oldest first, whose number is above <paramref name="after"/>; a bounded number of them is kept.</summary>
    IReadOnlyList<BusEvent> Events(long after);
}

/// <summary>A host GPU and what it still has to give.</summary>
/// <param name="Name">For example <c>software0</c>; a folder of the tree.</param>
/// <param name="Driver">What renders, for example <c>software</c>.</param>
/// <param name="Description">One line.</param>
/// <param name="Budgets">By name: used and total.</param>
/// <param name="Types">All that may be made here.</param>
public sealed record ParentView(string Name, string Driver, string Description, IReadOnlyDictionary<string, BudgetView> Budgets, IReadOnlyList<TypeView> Types);

/// <summary>How much of a budget is used; bytes for memory, else a count.</summary>
public readonly record struct BudgetView(ulong Used, ulong Total);

/// <summary>A type on a parent.</summary>
public sealed record TypeView
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary><c>vfio-user-pci</c>.</summary>
    public required string DeviceApi { get; init; }

    /// <summary>The vendor's name.</summary>
    public required string Vendor { get; init; }

    /// <summary>Bytes of video memory of an instance.</summary>
    public required ulong MemoryLimit { get; init; }

    public required int Heads { get; init; }

    /// <summary>Pixels.</summary>
    public required int MaxWidth { get; init; }

    /// <summary>Pixels.</summary>
    public required int MaxHeight { get; init; }

    /// <summary>How many more could be made now: the minimum over all budgets of the parent.</summary>
    public required int AvailableInstances { get; init; }
}

/// <summary>Where an instance is in its life.</summary>
public enum InstanceState
{
    /// <summary>Defined, and uses no budget.</summary>
    Stopped,
    Starting,

    /// <summary>Accepts a client or has one.</summary>
    Running,

    /// <summary>Could not be started or brought back, or can't be on this daemon; <see cref="InstanceView.Problem"/> says why. Uses no budget.</summary>
    Failed,
}

/// <summary>An instance at one moment.</summary>
public sealed record InstanceView
{
    public required InstanceDefinition Definition { get; init; }

    public required InstanceState State { get; init; }

    /// <summary>Why it failed or was set aside; null otherwise.</summary>
    public string? Problem { get; init; }

    /// <summary>Where its sockets are; null where it does not run.</summary>
    public InstancePaths? Paths { get; init; }

    /// <summary>Null where it does not run.</summary>
    public WorkerStatus? Worker { get; init; }

    /// <summary>Bytes; the definition's or the type's. 0 where the type is not known here.</summary>
    public required ulong MemoryLimit { get; init; }

    /// <summary>Every setting (<see cref="Vgpu.Bus.Settings.Setting.Of"/>) as it holds: the definition's or the type's.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>What an operator asks for.</summary>
public sealed record CreateRequest
{
    public required string Parent { get; init; }

    public required string Type { get; init; }

    /// <summary>A fresh one where null.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>The type's name with the first free number where null, such as <c>virtio-gpu-256m-1</c>.</summary>
    public string? Name { get; init; }

    public bool Auto { get; init; }

    /// <summary>False: it lives until it is stopped, and nothing is kept.</summary>
    public bool Persistent { get; init; } = true;

    public InstanceOwner? Owner { get; init; }

    public IReadOnlyList<string> After { get; init; } = [];

    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public bool Start { get; init; } = true;
}

/// <summary>Something that happened to an instance or to the bus.</summary>
/// <param name="Number">Counts from 1 in a daemon's life.</param>
/// <param name="Time">UTC.</param>
/// <param name="Kind"><c>created</c>, <c>started</c>, <c>client-attached</c>, <c>client-gone</c>, <c>mode-set</c>, <c>reset</c>, <c>fault</c>, <c>quota-refused</c>, <c>changed</c>, <c>upgraded</c>, <c>stopped</c>, <c>removed</c>, <c>failed</c>, <c>set-aside</c>.</param>
/// <param name="Uuid">Null: about no instance.</param>
/// <param name="Name">The instance's name then.</param>
/// <param name="Detail">One line.</param>
public sealed record BusEvent(long Number, DateTime Time, string Kind, Guid? Uuid, string? Name, string Detail);
