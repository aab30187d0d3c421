using Vgpu.Screens;
using Vgpu.Viewers.Rfb;

namespace Vgpu.Viewers.Web;

/// <summary>A screen that is lent to one session; Dispose gives it back, once.</summary>
public interface IConsoleScreen : IDisposable
{
    Screen Screen { get; }

    /// <summary>The screen's server, where other viewers have one already and share it; null: the console makes its own, with RFB's defaults.</summary>
    RfbServer? Server => null;

    /// <summary>Cancelled when the vGPU has gone or stopped: the session ends.</summary>
    CancellationToken Gone { get; }
}
