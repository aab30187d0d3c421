// The virtio GPU device (virtio 1.2, 5.7): queues, features, configuration and dispatch.
using System.Runtime.InteropServices;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// A virtio GPU apart from any transport, 2D with blobs of guest memory, or 3D with a renderer of the host's. Every 2D command is
/// done when its response is written, so a fence is echoed at once; what the renderer does is answered by its thread. What a guest gets wrong is answered with the response that the specification or QEMU gives, and logged at
/// a bounded rate; it never throws. Threads: as <see cref="VirtioDevice"/> says; a monitor's change may come on any.
/// </summary>
public sealed partial class VirtioGpuDevice : VirtioDevice
{
    private const ulong VirglFeature = 1UL << VIRTIO_GPU_F_VIRGL;
    private const ulong ContextInitFeature = 1UL << VIRTIO_GPU_F_CONTEXT_INIT;
    private const ulong EdidFeature = 1UL << VIRTIO_GPU_F_EDID;
    private const ulong UuidFeature = 1UL << VIRTIO_GPU_F_RESOURCE_UUID;
    private const ulong BlobFeature = 1UL << VIRTIO_GPU_F_RESOURCE_BLOB;
    private const int EventsClearOffset = 4;

    private static readonly ushort[] _queueSizes = [256, 16];

    private readonly IRenderer _renderer;
    private readonly IReadOnlyList<Head> _heads;
    private readonly ResourceTable _resources;
    private readonly DisplayCommands _display;
    private readonly ResourceCommands _resourceCommands;
    private readonly BackingCommands _backings;
    private readonly ScanoutCommands _scanouts;
    private readonly CursorCommands _cursors;
    private readonly GuestFaultLog _faults;
    private readonly Rendering? _rendering;
    private readonly ContextCommands? _contexts;
    private readonly Resource3DCommands? _rendered;
    private readonly VgpuNotices _notices;
    private ulong _features;
    private uint _eventsRead;

    /// <summary>
    /// A device that draws on <paramref name="screen"/> with <paramref name="renderer"/>, which it owns from then on.
    /// </summary>
    /// <param name="screen">1 to 16 heads, each a scanout.</param>
    /// <param name="renderer">The host GPU.</param>
    /// <param name="videoMemory">Bytes that the guest may make the host hold, bookkeeping included.</param>
    /// <param name="guestBlobs">Whether RESOURCE_BLOB is offered.</param>
    /// <param name="notices">Where the owner hears of what the guest does; null: nowhere.</param>
    /// <param name="peakVideoMemory">See <see cref="VgpuOptions.PeakVideoMemory"/>.</param>
    /// <param name="renderer3D">See <see cref="VgpuOptions.Renderer3D"/>; null: the guest does not render. What it throws comes out of here.</param>
    /// <param name="shareGate">See <see cref="VgpuOptions.ShareGate"/>; of no use where the guest does not render.</param>
    public VirtioGpuDevice(
        Screen screen, IRenderer renderer, ulong videoMemory, bool guestBlobs = false, VgpuNotices? notices = null, ulong peakVideoMemory = 0,
        Func<IRenderer3D>? renderer3D = null, Func<IShareGate>? shareGate = null)
        : this(screen, renderer, videoMemory, guestBlobs, notices, peakVideoMemory, renderer3D, shareGate, RendererPatience.Default)
    {
    }

    internal VirtioGpuDevice(
        Screen screen, IRenderer renderer, ulong videoMemory, bool guestBlobs, VgpuNotices? notices, ulong peakVideoMemory,
        Func<IRenderer3D>? renderer3D, Func<IShareGate>? shareGate, RendererPatience patience)
    {
        _notices = notices ?? new VgpuNotices();
        _faults = new GuestFaultLog(_notices);
        DeviceFeatures = EdidFeature | UuidFeature | (guestBlobs ? BlobFeature : 0);
        _renderer = renderer;
        _heads = screen.Heads;
        var memory = new VideoMemory(videoMemory, peakVideoMemory);
        _resources = new ResourceTable(memory);
        _display = new DisplayCommands(_heads);
        _scanouts = new ScanoutCommands(_resources, [.. _heads.Select(head => new Scanout(head, memory))]);
        if (renderer3D is not null)
        {
            _rendering = new Rendering(renderer3D, shareGate, this, _resources, _scanouts, _faults, _notices, patience);
            _contexts = new ContextCommands(_rendering, _resources, _scanouts);
            _rendered = new Resource3DCommands(_rendering, _resources);
            _scanouts.Rendering = _rendering;
            DeviceFeatures |= VirglFeature | ContextInitFeature;
        }

        _backings = new BackingCommands(_resources, _rendered);
        _resourceCommands = new ResourceCommands(_resources, _scanouts, _backings, renderer, _rendered);
        _cursors = new CursorCommands(_resources, _heads, _rendering);
        if (_rendering is not null)
        {
            _rendering.ShowCursor = _cursors.ShowRendered;
        }

        foreach (Head head in _heads)
        {
            head.PreferredModeChanged += OnPreferredModeChanged;
        }
    }

    public override ushort DeviceType => VIRTIO_ID_GPU;

    public override uint PciClassCode => PciIds.PCI_CLASS_DISPLAY_OTHER;

    /// <summary>EDID, RESOURCE_UUID and, where wanted, RESOURCE_BLOB; with a renderer VIRGL and CONTEXT_INIT.</summary>
    public override ulong DeviceFeatures { get; }

    /// <summary>The control queue and the cursor queue.</summary>
    public override IReadOnlyList<ushort> QueueSizes => _queueSizes;

    /// <summary>struct virtio_gpu_config.</summary>
    public override int ConfigSize => 16;

    /// <summary>Bytes charged to the guest now.</summary>
    public ulong VideoMemoryUsed => _resources.Memory.Used;

    /// <summary>Resources that the guest has now.</summary>
    public int ResourceCount => _resources.Count;

    public override void ReadConfig(int offset, Span<byte> data)
    {
        Span<uint> config = [_eventsRead, 0, (uint)_heads.Count, (uint)(_rendering?.Capsets.Count ?? 0)];
        MemoryMarshal.AsBytes(config).Slice(offset, data.Length).CopyTo(data);
    }

    /// <summary>Only events_clear takes a write: its bits leave events_read.</summary>
    public override void WriteConfig(int offset, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            int at = offset + i - EventsClearOffset;
            if (at is >= 0 and < sizeof(uint))
            {
                _eventsRead &= ~((uint)data[i] << (8 * at));
            }
        }
    }

    public override void Activate(ulong features) => _features = features;

    public override void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain)
    {
        if (!ControlCommand.TryBegin(queue, chain, Transport.Iommu, out ControlCommand command))
        {
            _faults.Report(Transport.Log, 0, VIRTIO_GPU_RESP_ERR_UNSPEC);
            command.Respond(VIRTIO_GPU_RESP_ERR_UNSPEC);
            return;
        }

        if (queueIndex == CURSORQ || ChangesState(command.Hdr.Type))
        {
            Transport.StateChanged();
        }

        uint response = queueIndex == CURSORQ ? HandleCursor(command) : HandleControl(command);
        if (response == ControlCommand.Left)
        {
            queue.Leave();
            return;
        }

        if (response == ControlCommand.Unmapped)
        {
            if (queue.TryLeaveForRemap())
            {
                return;
            }

            response = VIRTIO_GPU_RESP_ERR_UNSPEC;
        }

        if (response == ControlCommand.Answered || (_rendering is { IsOwnThread: true } rendering && rendering.TryTake(command, queue, chain, response)))
        {
            return;
        }

        if (response >= VIRTIO_GPU_RESP_ERR_UNSPEC)
        {
            _faults.Report(Transport.Log, command.Hdr.Type, response);
        }

        command.Respond(response);
    }

    public override void Reset()
    {
        if (_features != 0)
        {
            _notices.Report(new VgpuNotice(VgpuNoticeKind.Reset, "the guest reset the device"));
        }

        Free();
    }

    private void Free()
    {
        _recovery = null;
        _rendering?.Reset();
        _scanouts.DisableAll();
        _cursors.Reset();
        _resources.Clear();
        _features = 0;
        _eventsRead = 0;
        _displayChanged = false;
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
        _rendering?.DmaUnmap(iova, length);
        _resources.DmaUnmap(iova, length);
    }

    /// <summary>With a renderer the control queue is its thread's.</summary>
    public override bool HasOwnThread(int queueIndex) => _rendering is not null && queueIndex == CONTROLQ;

    public override void QueueReady(int queueIndex) => _rendering!.Ready(queueIndex);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (Head head in _heads)
            {
                head.PreferredModeChanged -= OnPreferredModeChanged;
            }

            _rendering?.Dispose();
            Free();
            _renderer.Dispose();
        }

        base.Dispose(disposing);
    }

    private uint HandleCursor(in ControlCommand command) => command.Hdr.Type switch
    {
        VIRTIO_GPU_CMD_UPDATE_CURSOR => _cursors.Update(command),
        VIRTIO_GPU_CMD_MOVE_CURSOR => _cursors.Move(command),
        _ => VIRTIO_GPU_RESP_ERR_UNSPEC,
    };

    // A command whose feature was not negotiated is as unknown as one of a feature that is not offered.
    private uint HandleControl(in ControlCommand command)
    {
        switch (command.Hdr.Type)
        {
            case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
                return _backings.TransferToHost2D(command);
            case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
                return _scanouts.Flush(command);
            case VIRTIO_GPU_CMD_SET_SCANOUT:
                return _scanouts.SetScanout(command);
            case VIRTIO_GPU_CMD_SET_SCANOUT_BLOB when Has(BlobFeature):
                return _scanouts.SetScanoutBlob(command);
            case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
                return _resourceCommands.Create2D(command);
            case VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB when Has(BlobFeature):
                return _resourceCommands.CreateBlob(command);
            case VIRTIO_GPU_CMD_RESOURCE_UNREF:
                return _resourceCommands.Unref(command);
            case VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID when Has(UuidFeature):
                return _resourceCommands.AssignUuid(command);
            case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
                return _backings.AttachBacking(command);
            case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
                return _backings.DetachBacking(command);
            case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
                _display.GetDisplayInfo(command);
                return ControlCommand.Answered;
            case VIRTIO_GPU_CMD_GET_EDID when Has(EdidFeature):
                return _display.GetEdid(command);
            default:
                return Has(VirglFeature) ? HandleRendering(command)
                    : command.Hdr.Type == VIRTIO_GPU_CMD_GET_CAPSET_INFO ? VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER // No index is valid.
                    : VIRTIO_GPU_RESP_ERR_UNSPEC;
        }
    }

    private uint HandleRendering(in ControlCommand command) => command.Hdr.Type switch
    {
        VIRTIO_GPU_CMD_SUBMIT_3D => _contexts!.Submit(command),
        VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D => _rendered!.Transfer(command, isFromHost: false),
        VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D => _rendered!.Transfer(command, isFromHost: true),
        VIRTIO_GPU_CMD_RESOURCE_CREATE_3D => _rendered!.Create(command),
        VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE => _contexts!.AttachResource(command),
        VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE => _contexts!.DetachResource(command),
        VIRTIO_GPU_CMD_CTX_CREATE => _contexts!.Create(command, Has(ContextInitFeature)),
        VIRTIO_GPU_CMD_CTX_DESTROY => _contexts!.Destroy(command),
        VIRTIO_GPU_CMD_GET_CAPSET_INFO => _contexts!.GetCapsetInfo(command),
        VIRTIO_GPU_CMD_GET_CAPSET => _contexts!.GetCapset(command),
        _ => VIRTIO_GPU_RESP_ERR_UNSPEC,
    };

    private bool Has(ulong feature) => (_features & feature) != 0;

    private void OnPreferredModeChanged(Head head)
    {
        if (Transport is not { } transport)
        {
            return;
        }

        lock (transport.Lock)
        {
            if (_isLoading)
            {
                return;
            }

            if (_isStopped)
            {
                _displayChanged = true;
                transport.StateChanged();
                return;
            }

            _eventsRead |= VIRTIO_GPU_EVENT_DISPLAY;
            transport.ConfigChanged();
        }
    }
}
