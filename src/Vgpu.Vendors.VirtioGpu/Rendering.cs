// A virtio GPU's side of the host's renderer: what the guest made in it, the command that it is at, and the fences that are due.
using System.Diagnostics;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;
using Vgpu.Virtio;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// The renderer has a thread of its own, <c>renderer</c>, which also works on the control queue, so that commands keep their order.
/// It takes a chain with the device's lock held, asks the renderer without it, and answers with it again: one command at a time,
/// and the queue in the guest's memory is what bounds the rest. No other thread ever waits for the renderer, but for a bounded time
/// where memory that it points into goes away, and for a reset. Device lock held, where nothing else is said.
/// </summary>
internal sealed partial class Rendering : IDisposable
{
    /// <summary>Chains of the control queue.</summary>
    internal const int MaxHeld = 256;

    private readonly VirtioDevice _device;
    private readonly ResourceTable _resources;
    private readonly ScanoutCommands _scanouts;
    private readonly GuestFaultLog _faults;
    private readonly HeldChains _held = new(MaxHeld);
    private readonly Queue<Resource3D> _awaited = [];
    private readonly List<uint> _unmapped = [];

    // Since the last reset the renderer was asked for something.
    private bool _isUsed;

    /// <summary>
    /// Starts the thread and has it make the renderer. Throws what <paramref name="make"/> throws.
    /// </summary>
    /// <param name="make">Called once, on the thread.</param>
    /// <param name="makeShare">See <see cref="VgpuOptions.ShareGate"/>.</param>
    /// <param name="device">Whose control queue it works on.</param>
    /// <param name="resources">Where the guest's resources are.</param>
    /// <param name="scanouts">Where they are shown.</param>
    /// <param name="faults">Where errors are told of.</param>
    /// <param name="notices">Where a renderer that hangs is told of.</param>
    /// <param name="patience">See <see cref="RendererPatience"/>.</param>
    internal Rendering(
        Func<IRenderer3D> make, Func<IShareGate>? makeShare, VirtioDevice device, ResourceTable resources, ScanoutCommands scanouts, GuestFaultLog faults,
        VgpuNotices notices, RendererPatience patience)
    {
        _make = make;
        _makeShare = makeShare;
        _device = device;
        _resources = resources;
        _scanouts = scanouts;
        _faults = faults;
        _notices = notices;
        _patience = patience;
        Contexts = new ContextTable(resources.Memory);
        _thread = new Thread(Run) { Name = "renderer", IsBackground = true };
        _watch = new Timer(_ => Watch());
        StartThread();
    }

    /// <summary>What guests are offered; never changes.</summary>
    internal IReadOnlyList<RendererCapset> Capsets { get; private set; } = [];

    internal ContextTable Contexts { get; }

    /// <summary>The command that is being prepared, done, or answered. The renderer's thread.</summary>
    internal RendererCall Call { get; } = new();

    /// <summary>Whether the caller is the renderer's thread. Any thread.</summary>
    internal bool IsOwnThread => Thread.CurrentThread == _thread;

    /// <summary>Whether the guest has nothing in the renderer that a saved state would lack.</summary>
    internal bool IsMovable => Contexts.Count == 0 && _held.Count == 0 && !_isUnderWay && !_resources.All.Any(resource => resource is Resource3D);

    private IVirtioTransport Transport => _device.Transport;

    /// <summary>Something is to be done for this resource before the next chain.</summary>
    internal void Await(Resource3D resource)
    {
        if (!_awaited.Contains(resource))
        {
            _awaited.Enqueue(resource);
        }

        Ready(VirtioGpuConstants.CONTROLQ);
    }

    /// <summary>
    /// The range goes away: the renderer lets go of each backing that touches it, and this returns when it has. One that does not
    /// come back for a second leaves the memory mapped here, out of everybody's reach but its own.
    /// </summary>
    internal void DmaUnmap(ulong iova, ulong length)
    {
        if (!IsServed)
        {
            // It has not come back since a reset, and may point anywhere that was mapped then.
            Type2.KeepMapped();
        }

        _unmapped.Clear();
        foreach (GpuResource one in _resources.All)
        {
            if (one is not Resource3D { Backing: { } backing, IsBacked: true } resource)
            {
                continue;
            }

            bool wasResolved = !backing.RunSpan.IsEmpty;
            backing.Drop(iova, length);
            if (wasResolved && backing.RunSpan.IsEmpty)
            {
                resource.IsBacked = false;
                resource.Due |= RendererDue.Back;
                _unmapped.Add(resource.Id);
                Await(resource);
            }
        }

        if (_unmapped.Count != 0 && !Detach(_unmapped))
        {
            Type2.KeepMapped();
        }
    }

    /// <summary>
    /// Everything that the guest made is forgotten, and the renderer told so. Waits for that for a second at most: one that does
    /// not come back forgets it before it does anything else. The scanouts and the table are the caller's.
    /// </summary>
    internal void Reset()
    {
        _held.Clear();
        _awaited.Clear();
        Contexts.Clear();
        if (_isUsed)
        {
            _isUsed = false;
            ResetRenderer();
        }
    }

    internal int MaxStateLength => _held.MaxStateLength;

    internal void SaveState(StateWriter state) => _held.SaveState(state);

    /// <summary>After a reset.</summary>
    internal void LoadState(StateReader state) => _held.LoadState(state);

    /// <summary>After a load: the driver has back what waited for its predecessor's renderer. That is gone, and what was drawn with it.</summary>
    internal void ReleaseHeld()
    {
        Virtqueue queue = Transport.QueueAt(VirtioGpuConstants.CONTROLQ);
        while (_held.TryTakeAny(out ushort head, out uint written))
        {
            Transport.StateChanged();
            queue.Push(head, written);
        }
    }

    /// <summary>Ends the thread and the renderer. Without the device's lock.</summary>
    public void Dispose()
    {
        EndThread();
        _watch.Dispose();
    }
}

/// <summary>How long others wait for a renderer.</summary>
/// <param name="Quiesce">For memory to be let go of, for a reset, and at the end.</param>
/// <param name="Hang">After which it counts as hung.</param>
internal sealed record RendererPatience(TimeSpan Quiesce, TimeSpan Hang)
{
    /// <summary>Less than a worker's host waits for one that stands still; and longer than a slow host draws.</summary>
    internal static RendererPatience Default { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>The machine's monotonic clock in nanoseconds, by which guests wait for turns and for frames.</summary>
    internal Func<long> Clock { get; init; } = Stopwatch.GetTimestamp;
}
