using Vgpu.Gpus;
using Vgpu.Screens;

namespace Vgpu.Vendors.Bochs;

// What is changed while it runs: the monitor. The video memory is a BAR, whose size a guest has placed.
internal sealed partial class BochsDisplay : IVgpuModel
{
    ulong IVgpuModel.MemoryUsed => _videoMemory;

    ulong IVgpuModel.MemoryLimit => _videoMemory;

    void IVgpuModel.SetVideoMemory(ulong bytes)
    {
        if (bytes != _videoMemory)
        {
            throw new ArgumentException(
                $"video memory of {bytes} bytes: bochs-display's is a BAR and can't change while it runs; stop it and start it again");
        }
    }

    void IVgpuModel.CheckMode(DisplayMode mode) => CheckMode(mode, _head.MaxMode, _videoMemory);

    /// <summary>Throws <see cref="ArgumentException"/> with a message for the operator.</summary>
    internal static void CheckMode(DisplayMode mode, DisplayMode max, ulong videoMemory)
    {
        VgpuMode.Check(mode, max);
        if (BytesOf(mode) > videoMemory)
        {
            throw new ArgumentException($"mode {mode} needs {BytesOf(mode) >> 20} MiB of video memory, not {videoMemory >> 20}");
        }
    }

    internal static ulong BytesOf(DisplayMode mode) => (ulong)mode.Width * (ulong)mode.Height * Surface.BytesPerPixel;

    /// <summary>Registers have other values, or a guest reads another EDID. Lock held.</summary>
    internal void OnRegistersChanged()
    {
        StateChanged();
        CommitState();
    }

    // A guest sees the new EDID when it looks the next time; a successor's guest too.
    private void OnPreferredModeChanged(Head head)
    {
        using (InTurn())
        {
            StateChanged();
            CommitState();
        }
    }
}
