// vfio_vgpu's registry: composition, what it shows, and how its operations find their instance.
using Microsoft.Extensions.Logging;
using Vgpu.Bus.Disk;
using Vgpu.Bus.Settings;
using Vgpu.Gpus;

namespace Vgpu.Bus;

/// <summary>
/// The bus over a worker host and two folders. A running instance takes of its parent's budgets; a definition alone takes
/// nothing, as with mdevctl's defined and active. Which run is on the disk, so that the bus may die and come again.
/// </summary>
/// <remarks>
/// Locks, in this order: 1. the scan of the definitions; 2. an instance's gate, for as long as an operation on it takes, so
/// that different instances start at the same time; a scan only tries a gate, and looks at that file again later; 3. the
/// table's, for a few lookups; 4. the event log's. Listeners are called with none of them.
/// </remarks>
public sealed partial class VgpuBus : IBus, IDisposable
{
    private readonly IWorkerHost _workers;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, Parent> _parents;
    private readonly InstanceTable _table;
    private readonly EventLog _events;
    private readonly DefinitionFolder _definitions;
    private readonly RunFolder _runs;
    private readonly SetAside _setAside;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private VgpuBus(BusOptions options, IReadOnlyList<Parent> parents, IWorkerHost workers, ILogger log, TimeProvider clock)
    {
        (_workers, _log, _clock) = (workers, log, clock);
        _parents = parents.ToDictionary(parent => parent.Name, StringComparer.Ordinal);
        _table = new InstanceTable(parents);
        _events = new EventLog(clock, log);
        _definitions = new DefinitionFolder(Path.Combine(options.StateFolder, "mdevctl.d"));
        _runs = new RunFolder(options.RunFolder);
        _setAside = new SetAside(Path.Combine(options.StateFolder, "set-aside"), _events, log);
    }

    /// <inheritdoc/>
    public event Action<BusEvent>? Happened
    {
        add => _events.Happened += value;
        remove => _events.Happened -= value;
    }

    /// <summary>Ends when <see cref="StartAuto"/> is through: the daemon is ready.</summary>
    public Task Ready => _ready.Task;

    /// <summary>
    /// Reads the definitions, sets aside what is none, and takes over the workers of an earlier daemon; starts nothing. The
    /// worker host stays the caller's. Throws <see cref="BusException"/> where the folders can't be used, or another daemon uses them.
    /// </summary>
    /// <param name="options">Where definitions and what runs are kept.</param>
    /// <param name="parents">At least one; of different names.</param>
    /// <param name="workers">Not used by anybody else.</param>
    /// <param name="log">Lines for the operator.</param>
    /// <param name="clock">The times of events, and how long a file may be unfinished; the system's where null.</param>
    public static VgpuBus Open(BusOptions options, IReadOnlyList<Parent> parents, IWorkerHost workers, ILogger log, TimeProvider? clock = null)
    {
        var bus = new VgpuBus(options, parents, workers, log, clock ?? TimeProvider.System);
        try
        {
            bus.Load(options.AdoptTimeout);
            return bus;
        }
        catch
        {
            bus.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<ParentView> Parents()
    {
        lock (_table.Lock)
        {
            return [.. _table.Ledgers.Select(ledger => new ParentView(
                ledger.Parent.Name,
                ledger.Parent.Driver,
                ledger.Parent.Description,
                ledger.View(),
                [.. ledger.Parent.Offers.Select(offer => ViewOf(offer, ledger.Fits(DefaultCost(offer.Type))))]))];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<InstanceView> Instances()
    {
        Refresh();
        List<InstanceView> views;
        lock (_table.Lock)
        {
            views = [.. _table.All.Where(instance => instance.Made).Select(ViewOf).OrderBy(view => view.Definition.Name, StringComparer.Ordinal)];
        }

        return views.ConvertAll(WithWorker);
    }

    /// <inheritdoc/>
    public InstanceView Find(string nameOrUuid)
    {
        Refresh();
        InstanceView view;
        lock (_table.Lock)
        {
            view = ViewOf(_table.Find(nameOrUuid));
        }

        return WithWorker(view);
    }

    /// <inheritdoc/>
    public IReadOnlyList<BusEvent> Events(long after) => _events.After(after);

    /// <summary>Leaves all workers running: the next daemon takes them over.</summary>
    public void Dispose()
    {
        _workers.Reported -= OnReported;
        _cleanUps.Wait();
        _definitions.Dispose();
        _runs.Dispose();
    }

    private static TypeView ViewOf(Offer offer, int available) => new()
    {
        Name = offer.Type.Name,
        Description = offer.Type.Description,
        DeviceApi = offer.Type.DeviceApi,
        Vendor = offer.Vendor.Name,
        MemoryLimit = offer.Type.DefaultVideoMemory,
        Heads = offer.Type.MaxHeads,
        MaxWidth = Setting.Largest(offer.Type).Width,
        MaxHeight = Setting.Largest(offer.Type).Height,
        AvailableInstances = available,
    };

    // With the table's lock held.
    private InstanceView ViewOf(Instance instance)
    {
        InstanceDefinition definition = instance.Definition;
        VgpuType? type = _table.OfferOf(definition)?.Type;
        return new InstanceView
        {
            Definition = definition,
            State = instance.State,
            Problem = instance.Problem,
            MemoryLimit = type is null ? 0 : Setting.MemoryOf(definition, type),
            Settings = type is null ? definition.Settings : Setting.Of(type).ToDictionary(setting => setting.Name, setting => setting.Effective(definition, type), StringComparer.Ordinal),
        };
    }

    private InstanceView WithWorker(InstanceView view) => view.State != InstanceState.Running
        ? view
        : view with { Worker = _workers.Status(view.Definition.Uuid), Paths = _workers.Paths(view.Definition.Uuid) };

    private InstanceView View(Instance instance)
    {
        InstanceView view;
        lock (_table.Lock)
        {
            view = ViewOf(instance);
        }

        return WithWorker(view);
    }

    /// <summary>Waits for an instance's turn; NotFound where it is gone by then.</summary>
    private Turn Enter(string nameOrUuid)
    {
        Refresh();
        while (true)
        {
            Instance instance;
            lock (_table.Lock)
            {
                instance = _table.Find(nameOrUuid);
            }

            var turn = new Turn(this, instance);
            lock (_table.Lock)
            {
                if (instance.Made)
                {
                    return turn;
                }
            }

            turn.Dispose();
        }
    }

    private void Note(string kind, InstanceDefinition definition, string detail) => _events.Add(kind, definition.Uuid, definition.Name, detail);

    /// <summary>An instance's gate, held; what happened meanwhile is told of after it.</summary>
    private sealed class Turn : IDisposable
    {
        private readonly VgpuBus _bus;

        internal Turn(VgpuBus bus, Instance instance)
        {
            (_bus, Instance) = (bus, instance);
            instance.Gate.Enter();
        }

        internal Instance Instance { get; }

        public void Dispose()
        {
            Instance.Gate.Exit();
            if (!Instance.Gate.IsHeldByCurrentThread)
            {
                _bus._events.Raise();
            }
        }
    }
}
