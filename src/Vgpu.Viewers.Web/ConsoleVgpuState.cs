namespace Vgpu.Viewers.Web;

/// <summary>What a vGPU is doing.</summary>
public enum ConsoleVgpuState
{
    /// <summary>Defined, and has no screen.</summary>
    Stopped,

    Starting,

    /// <summary>Has a screen, whether a guest shows anything on it or not.</summary>
    Running,

    /// <summary>Could not be started or brought back; <see cref="ConsoleVgpu.Problem"/> says why.</summary>
    Failed,
}
