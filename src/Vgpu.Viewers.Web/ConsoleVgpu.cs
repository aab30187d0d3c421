using Vgpu.Screens;

namespace Vgpu.Viewers.Web;

/// <summary>A vGPU at one moment, as the console's list shows it.</summary>
public sealed record ConsoleVgpu
{
    public required Guid Uuid { get; init; }

    public required string Name { get; init; }

    /// <summary>What it is one of, such as <c>virtio-gpu-256m</c>.</summary>
    public required string Type { get; init; }

    public required ConsoleVgpuState State { get; init; }

    /// <summary>Why it failed; null otherwise.</summary>
    public string? Problem { get; init; }

    /// <summary>Video memory that the guest uses, in bytes.</summary>
    public ulong MemoryUsed { get; init; }

    /// <summary>Video memory that the guest may use, in bytes; 0: nobody knows.</summary>
    public ulong MemoryLimit { get; init; }

    /// <summary>The modes of what is shown, head by head; none where nothing is.</summary>
    public IReadOnlyList<DisplayMode> Modes { get; init; } = [];
}
