// How many frames heads show in a second: what comes too early stays in its queue until its time, and nothing is left out.
using Vgpu.Screens;

namespace Vgpu.Vendors.VirtioGpu;

internal sealed partial class ScanoutCommands
{
    private bool _isPaced;

    /// <summary>Of each head; 0: no limit. What waits comes again at once.</summary>
    internal void SetFrameLimit(int framesPerSecond)
    {
        _isPaced = framesPerSecond != 0;
        foreach (Scanout scanout in scanouts)
        {
            scanout.Pace.FramesPerSecond = framesPerSecond;
        }

        Rendering!.Ready(VirtioGpuConstants.CONTROLQ);
    }

    // True: it counts as shown, on each head that shows it.
    private bool MayFlush(GpuResource resource, Rect rect, out long again)
    {
        again = 0;
        if (!_isPaced)
        {
            return true;
        }

        long now = Rendering!.Now;
        foreach (Scanout scanout in scanouts)
        {
            if (scanout.Shows(resource, rect))
            {
                again = Math.Max(again, scanout.Pace.MayFlushAt(now));
            }
        }

        if (again > now)
        {
            return false;
        }

        foreach (Scanout scanout in scanouts)
        {
            if (scanout.Shows(resource, rect))
            {
                scanout.Pace.Flushed(now);
            }
        }

        return true;
    }

    // The same for a picture of ours, which is shown as soon as it is put on a head.
    private bool MayPut(Scanout scanout, Resource2D picture, Rect rect, out long again)
    {
        again = 0;
        if (!_isPaced || (ReferenceEquals(scanout.Resource, picture) && scanout.Rect == rect))
        {
            return true;
        }

        long now = Rendering!.Now;
        again = scanout.Pace.MayPutAt(now);
        if (again > now)
        {
            return false;
        }

        scanout.Pace.Put(now);
        return true;
    }
}
