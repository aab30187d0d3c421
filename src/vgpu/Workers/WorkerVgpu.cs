using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Bus.Workers;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vendors.VirtioInput;
using Vgpu.Vfio;
using Vgpu.Viewers.Feed;

namespace Vgpu.Cli.Workers;

/// <summary>An instance of the bus, served in a worker process: the device, its client's connection, its screen.</summary>
internal sealed class WorkerVgpu : IServedVgpu
{
    private static readonly TimeSpan s_yieldTimeout = TimeSpan.FromSeconds(1);

    private static readonly VirtioInputKind[] s_inputs = [VirtioInputKind.Keyboard, VirtioInputKind.Tablet];

    private readonly ServeRequest _request;
    private readonly VgpuComposition _vgpu;
    private readonly InputComposition _input;
    private readonly ServedFunction _gpu;
    private readonly List<ServedFunction> _functions = [];
    private readonly ScreenFeedServer _feed;
    private readonly UsageMeter _meter;
    private InstanceDefinition _definition;

    /// <summary>Serves when it returns. Throws <see cref="BusException"/>.</summary>
    internal WorkerVgpu(ServeRequest request, ILogger log)
    {
        _request = request;
        _definition = request.Definition;
        VgpuOptions options;
        try
        {
            (IVgpuVendor vendor, VgpuType type) = DeviceTypes.Find(_definition.Type);
            options = InstanceOptions.Of(_definition, type) with
            {
                MemoryFiles = request.Files,
                PeakVideoMemory = request.Mode is ServeMode.Restore or ServeMode.Load ? Math.Max(request.PeakMemory, type.DefaultVideoMemory) : 0,
                ShareGate = type.Renders && request.Shares is { } shares ? () => Join(shares, _definition.Uuid) : null,
            };
            _vgpu = new VgpuComposition(vendor, type, options, log);
        }
        catch (Exception e) when (e is ArgumentException or InvalidDataException or OperatorException)
        {
            throw new BusException(BusError.Invalid, e.Message, e);
        }

        _gpu = new ServedFunction(request, request.Functions[InstanceFunctions.Gpu], _vgpu.Instance.Device, _definition.Name, log);
        _functions.Add(_gpu);
        _input = new InputComposition(s_inputs, options, log);
        foreach (VirtioInputFunction function in _input.Functions)
        {
            FunctionRequest asked = request.Functions.Single(one => one.Name == VirtioInput.NameOf(function.Device.Kind));
            _functions.Add(new ServedFunction(request, asked, function.Function, InputComposition.NameOf(_definition.Name, function.Device.Kind), log));
        }

        _input.TypeInto(InstanceOptions.QmpOf(_definition));
        _vgpu.Instance.Screen.Input = _input.Sink;
        using (FileDescriptor file = request.Keep(UsageMeter.FileName, UsageMeter.Suits, UsageMeter.CreateFile))
        {
            _meter = new UsageMeter(file);
        }

        foreach (Head head in _vgpu.Instance.Screen.Heads)
        {
            head.FrameShown += _ => _meter.CountFrame();
        }

        _feed = new ScreenFeedServer("screen", _vgpu.Instance.Screen, NamedLogger.For(log, _definition.Name)) { Copied = _meter.CountViewed };
        _vgpu.Instance.Noticed += Report;
        _gpu.Server.ClientChanged += (_, _) => request.Report(
            _gpu.Server.IsClientConnected ? WorkerEventKind.ClientAttached : WorkerEventKind.ClientGone,
            _gpu.Server.IsClientConnected ? "a VMM has attached" : "the VMM has left");
        _functions.ForEach(function => function.Start(Restore));

        // Whoever typed before has no way to say that a key was let go meanwhile.
        _input.Sink.ReleaseAll();
        _feed.Start(new UnixSocket(request.ScreenListener));
    }

    public WorkerStatus Status
    {
        get
        {
            VgpuUsage usage = _vgpu.Instance.Usage;
            return new WorkerStatus
            {
                Pid = Environment.ProcessId,
                MemoryUsed = usage.MemoryUsed,
                MemoryLimit = usage.MemoryLimit,
                Modes = usage.Modes,
                Requests = _gpu.Server.Counters.TotalRequests,
            };
        }
    }

    public bool TryConfigure(InstanceDefinition definition)
    {
        (_, VgpuType type) = DeviceTypes.Find(definition.Type);
        VgpuOptions now = InstanceOptions.Of(_definition, type);
        VgpuOptions wanted = InstanceOptions.Of(definition, type);
        if (wanted with { Name = now.Name, Mode = now.Mode, VideoMemory = now.VideoMemory, FramesPerSecond = now.FramesPerSecond } != now)
        {
            return false;
        }

        try
        {
            if (wanted.VideoMemory != now.VideoMemory)
            {
                _vgpu.Instance.SetVideoMemory(wanted.VideoMemory == 0 ? type.DefaultVideoMemory : wanted.VideoMemory);
            }

            if (wanted.Mode != now.Mode)
            {
                _vgpu.Instance.SetMode(wanted.Mode);
            }

            if (wanted.FramesPerSecond != now.FramesPerSecond)
            {
                _vgpu.Instance.SetFrameLimit(wanted.FramesPerSecond);
            }
        }
        catch (ArgumentException)
        {
            // Fixed while it runs, or too much for it: the bus has checked it, and a device made anew says what is wrong.
            return false;
        }

        _input.TypeInto(InstanceOptions.QmpOf(definition));
        _definition = definition;
        return true;
    }

    public FileDescriptor? Yield()
    {
        bool stands = _functions.TrueForAll(function => !function.Server.IsClientConnected || function.Server.Yield(s_yieldTimeout));
        return stands && _gpu.Server.IsClientConnected ? SavedState.Save(_vgpu.Instance.Device) : null;
    }

    public void Dispose()
    {
        _feed.Dispose();
        _vgpu.Instance.Screen.Input = null;
        _functions.ForEach(function => function.Dispose());
        _input.Dispose();
        _vgpu.Dispose();
        _meter.Dispose();
    }

    private static ShareGate Join(FileDescriptor shares, Guid uuid)
    {
        var table = new ShareTable(shares);
        try
        {
            return new ShareGate(table, uuid, Stopwatch.GetTimestamp());
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    // Between the client's maps and its first message.
    private void Restore(VfioDevice device)
    {
        bool done = _request.Mode switch
        {
            ServeMode.Load when device == _vgpu.Instance.Device => _request.State is { } state && SavedState.TryLoad(device, state),
            ServeMode.Restore or ServeMode.Load => device.TryRestore(out _),
            _ => true,
        };
        if (!done)
        {
            _request.Report(WorkerEventKind.Fault, "its state could not be brought back; the device was reset, and its guest's driver has to begin anew");
        }
    }

    private void Report(VgpuNotice notice) => _request.Report(
        notice.Kind switch
        {
            VgpuNoticeKind.ModeSet => WorkerEventKind.ModeSet,
            VgpuNoticeKind.Reset => WorkerEventKind.Reset,
            VgpuNoticeKind.QuotaRefused => WorkerEventKind.QuotaRefused,
            VgpuNoticeKind.RendererHung => WorkerEventKind.Hung,
            _ => WorkerEventKind.Fault,
        },
        notice.Text);
}
