// A vGPU as its owner sees it: what it is attached by, what it shows and uses, and what may be changed while it runs.
using Vgpu.Screens;
using Vgpu.Vfio;

namespace Vgpu.Gpus;

/// <summary>What a device model lets its owner read and change while it runs. Any thread, without the device's lock.</summary>
public interface IVgpuModel
{
    /// <summary>Bytes of video memory that the guest uses.</summary>
    ulong MemoryUsed { get; }

    /// <summary>Bytes that it may use.</summary>
    ulong MemoryLimit { get; }

    /// <summary>See <see cref="VgpuInstance.SetVideoMemory"/>.</summary>
    void SetVideoMemory(ulong bytes);

    /// <summary>Throws <see cref="ArgumentException"/> with a message for the operator where the model can't prefer this mode.</summary>
    void CheckMode(DisplayMode mode);

    /// <summary>See <see cref="VgpuInstance.SetFrameLimit"/>.</summary>
    void SetFrameLimit(int framesPerSecond) => throw new ArgumentException("its guests do not render on the host: it has no frame limiter");
}

/// <summary>What a vGPU uses and shows at one moment.</summary>
/// <param name="MemoryUsed">Bytes of video memory; above the limit where that was lowered since.</param>
/// <param name="MemoryLimit">Bytes.</param>
/// <param name="Modes">What each head shows; null: nothing. The refresh is the monitor's.</param>
public sealed record VgpuUsage(ulong MemoryUsed, ulong MemoryLimit, IReadOnlyList<DisplayMode?> Modes);

/// <summary>A vGPU: the device that a VMM attaches and the screen that its guest draws on.</summary>
public sealed class VgpuInstance : IDisposable
{
    private readonly IVgpuModel _model;
    private readonly VgpuNotices _notices;

    /// <summary>Owns the device.</summary>
    public VgpuInstance(VfioDevice device, Screen screen, IVgpuModel model, VgpuNotices notices)
    {
        Device = device;
        Screen = screen;
        _model = model;
        _notices = notices;
        foreach (Head head in screen.Heads)
        {
            head.ModeSet += OnModeSet;
        }
    }

    /// <summary>
    /// What the guest did that the owner may want to know of. Raised on the device's worker or the transport's thread with the
    /// device's lock held: a handler passes it on and returns, and calls nothing of this vGPU but <see cref="Usage"/>. A guest
    /// that makes many is heard some thirty times at once and then four times a second; <see cref="VgpuNotice.Missed"/> counts
    /// the rest.
    /// </summary>
    public event Action<VgpuNotice>? Noticed
    {
        add => _notices.Raised += value;
        remove => _notices.Raised -= value;
    }

    public VfioDevice Device { get; }

    public Screen Screen { get; }

    /// <summary>Any thread.</summary>
    public VgpuUsage Usage => new(_model.MemoryUsed, _model.MemoryLimit, [.. Screen.Heads.Select(ModeOf)]);

    /// <summary>
    /// Changes the quota while the vGPU runs. One below what is used is in force for what the guest asks for from now on, until
    /// it has freed enough. Throws <see cref="ArgumentException"/> with a message for the operator where the model's memory is
    /// fixed while it runs, or the modes need more. Any thread.
    /// </summary>
    public void SetVideoMemory(ulong bytes) => _model.SetVideoMemory(bytes);

    /// <summary>
    /// Changes the mode that every head prefers: a new EDID, of which a guest is told where the model can tell it. Throws
    /// <see cref="ArgumentException"/> with a message for the operator where the type does not go so far. Any thread.
    /// </summary>
    public void SetMode(DisplayMode mode)
    {
        _model.CheckMode(mode);
        foreach (Head head in Screen.Heads)
        {
            head.RequestMode(mode);
        }
    }

    /// <summary>
    /// Changes how many frames each head may show in a second; 0: no limit. Throws <see cref="ArgumentException"/> with a message for
    /// the operator where the type has no limiter. Any thread.
    /// </summary>
    public void SetFrameLimit(int framesPerSecond) => _model.SetFrameLimit(framesPerSecond);

    public void Dispose()
    {
        foreach (Head head in Screen.Heads)
        {
            head.ModeSet -= OnModeSet;
        }

        Device.Dispose();
    }

    private static DisplayMode? ModeOf(Head head)
    {
        HeadState state = head.State;
        return state.Width == 0 ? null : new DisplayMode(state.Width, state.Height, state.PreferredMode.RefreshHertz);
    }

    private void OnModeSet(Head head)
    {
        DisplayMode? mode = ModeOf(head);
        _notices.Report(new VgpuNotice(VgpuNoticeKind.ModeSet, mode is { } shown ? $"head {head.Index} shows {shown}" : $"head {head.Index} shows nothing")
        {
            Head = head.Index,
            Mode = mode,
        });
    }
}
