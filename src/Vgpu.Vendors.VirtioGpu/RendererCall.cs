// The one command that the renderer's thread is at: what it asks of the renderer, and what came of it.
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>What is asked of the renderer.</summary>
internal enum RendererCallKind
{
    /// <summary>Nothing but a fence, if that.</summary>
    None,
    GetCapset,
    CreateContext,
    DestroyContext,
    AttachResource,
    DetachResource,
    CreateResource,
    DestroyResource,
    AttachBacking,
    DetachBacking,
    Transfer,
    Submit,
    Flush,
    ReadCursor,
}

/// <summary>
/// One object for all of them: filled in with the device's lock held, done without it, and looked at with the lock again. What it
/// refers to stays while it is done: memory behind a resource by <see cref="Rendering.DmaUnmap"/>, a surface as it is lent.
/// Allocates nothing once it has seen its longest command.
/// </summary>
internal sealed class RendererCall
{
    private const int FirstData = 4096;

    private readonly FlushTarget[] _targets = new FlushTarget[VirtioGpuConstants.VIRTIO_GPU_MAX_SCANOUTS];
    private HostRun[] _runs = new HostRun[64];
    private int _runCount;
    private int _targetCount;

    internal RendererCallKind Kind { get; private set; }

    internal uint Context { get; private set; }

    internal uint Resource { get; private set; }

    /// <summary>The resource that is made, backed or freed.</summary>
    internal Resource3D? Object { get; set; }

    internal RendererTransfer3D TransferBox { get; set; }

    /// <summary>The capset by its id; of a context, 0 where CONTEXT_INIT was not agreed on.</summary>
    internal uint Capset { get; set; }

    internal uint CapsetVersion { get; set; }

    /// <summary>Commands, a name, pixels or a capset: <see cref="DataLength"/> bytes.</summary>
    internal byte[] Data { get; private set; } = new byte[FirstData];

    internal int DataLength { get; private set; }

    /// <summary>Where the cursor goes that is read.</summary>
    internal VirtioGpuUpdateCursor Cursor { get; set; }

    internal Errno Errno { get; private set; }

    internal ReadOnlySpan<FlushTarget> Targets => _targets.AsSpan(0, _targetCount);

    /// <summary>Begins a new one; the answer of the command that needs it.</summary>
    internal uint Begin(RendererCallKind kind, uint context = 0, uint resource = 0)
    {
        Kind = kind;
        Context = context;
        Resource = resource;
        Object = null;
        DataLength = 0;
        _runCount = 0;
        _targetCount = 0;
        Errno = Errno.None;
        return ControlCommand.Deferred;
    }

    /// <summary>Room for so many bytes of data.</summary>
    internal Span<byte> TakeData(int length)
    {
        if (Data.Length < length)
        {
            Data = GC.AllocateUninitializedArray<byte>(Math.Max(length, Math.Min(2 * Data.Length, VirtioGpuConstants.MaxCommands)));
        }

        DataLength = length;
        return Data.AsSpan(0, length);
    }

    internal void SetRuns(ReadOnlySpan<HostRun> runs)
    {
        if (_runs.Length < runs.Length)
        {
            _runs = new HostRun[runs.Length];
        }

        runs.CopyTo(_runs);
        _runCount = runs.Length;
    }

    internal void Add(in FlushTarget target) => _targets[_targetCount++] = target;

    /// <summary>On the renderer's thread, without the device's lock.</summary>
    internal void Execute(IRenderer3D renderer)
    {
        switch (Kind)
        {
            case RendererCallKind.GetCapset:
                Errno = renderer.GetCapset(Capset, CapsetVersion, Data.AsSpan(0, DataLength));
                break;
            case RendererCallKind.CreateContext:
                Errno = renderer.CreateContext(Context, Capset, Data.AsSpan(0, DataLength));
                break;
            case RendererCallKind.DestroyContext:
                renderer.DestroyContext(Context);
                break;
            case RendererCallKind.AttachResource:
                Errno = renderer.AttachResource(Context, Resource);
                break;
            case RendererCallKind.DetachResource:
                renderer.DetachResource(Context, Resource);
                break;
            case RendererCallKind.CreateResource:
                Errno = renderer.CreateResource(Resource, Object!.Description);
                break;
            case RendererCallKind.DestroyResource:
                renderer.DestroyResource(Resource);
                break;
            case RendererCallKind.AttachBacking:
                Errno = renderer.AttachBacking(Resource, _runs.AsSpan(0, _runCount));
                break;
            case RendererCallKind.DetachBacking:
                renderer.DetachBacking(Resource);
                break;
            case RendererCallKind.Transfer:
                Errno = renderer.Transfer(Context, Resource, TransferBox);
                break;
            case RendererCallKind.Submit:
                Errno = renderer.Submit(Context, Data.AsSpan(0, DataLength));
                break;
            case RendererCallKind.Flush:
                Errno = ReadTargets(renderer);
                break;
            case RendererCallKind.ReadCursor:
                const int Side = VirtioGpuConstants.CURSOR_SIZE;
                Errno = renderer.ReadPixels(Resource, new Rect(0, 0, Side, Side), Data.AsSpan(0, DataLength), Side * Surface.BytesPerPixel);
                break;
        }
    }

    private unsafe Errno ReadTargets(IRenderer3D renderer)
    {
        Errno errno = Errno.None;
        foreach (ref FlushTarget target in _targets.AsSpan(0, _targetCount))
        {
            Surface to = target.Surface;
            Rect from = target.From;

            // Sound: the place lies within the surface, which is lent and so stays mapped.
            byte* first = to.Pixels + ((long)target.Y * to.Stride) + ((long)target.X * Surface.BytesPerPixel);
            var pixels = new Span<byte>(first, ((from.Height - 1) * to.Stride) + (from.Width * Surface.BytesPerPixel));
            Errno one = renderer.ReadPixels(Resource, from, pixels, to.Stride);
            target.IsDone = one == Errno.None;
            errno = errno == Errno.None ? one : errno;
        }

        return errno;
    }
}

/// <summary>A part of a resource on its way to a head.</summary>
internal struct FlushTarget
{
    internal required Scanout Scanout { get; init; }

    /// <summary>Lent by the scanout until <see cref="Scanout.Return"/>.</summary>
    internal required Surface Surface { get; init; }

    /// <summary>In the resource.</summary>
    internal required Rect From { get; init; }

    /// <summary>In the surface.</summary>
    internal required int X { get; init; }

    internal required int Y { get; init; }

    /// <summary>Nothing of it was on the head before: that there is now is state.</summary>
    internal required bool IsFirst { get; init; }

    internal bool IsDone { get; set; }
}
