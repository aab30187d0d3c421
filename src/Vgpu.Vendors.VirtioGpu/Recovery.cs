// What a checkpoint left out: pixels, from the backings that are in the guest's memory.
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu;

/// <summary>
/// Transfers each resource with a backing whole, then shows what heads show: the guest may have drawn since its last transfer,
/// and sees that a little early. What has no backing stays black. Device lock held.
/// </summary>
internal sealed class Recovery(ResourceTable resources, ScanoutCommands scanouts)
{
    // As for a chain: a VMM may be putting its memory map together anew.
    private const long RemapMilliseconds = 500;

    private readonly Queue<Resource2D> _left = new(resources.All.OfType<Resource2D>().Where(resource => resource.Backing is not null));
    private long? _since;

    /// <summary>One resource more.</summary>
    internal RecoveryStep Next()
    {
        _since ??= Environment.TickCount64;
        bool giveUp = Environment.TickCount64 - _since >= RemapMilliseconds;
        if (_left.TryPeek(out Resource2D? resource))
        {
            if (Transfer(resource) == Errno.EFAULT && !giveUp)
            {
                return RecoveryStep.Later;
            }

            _left.Dequeue();
            return RecoveryStep.More;
        }

        return scanouts.Recover(giveUp) == Errno.EFAULT && !giveUp ? RecoveryStep.Later : RecoveryStep.Done;
    }

    private static Errno Transfer(Resource2D resource)
    {
        // A backing may be shorter than its picture: what it holds of it.
        ulong row = (ulong)resource.Host.Width * BytesPerPixel;
        int rows = (int)Math.Min((ulong)resource.Host.Height, resource.Backing!.Length / row);
        var rect = new Rect(0, 0, resource.Host.Width, rows);
        Errno errno = resource.Host.TransferFromGuest(resource.Backing, rect, 0);
        if (errno == Errno.None)
        {
            resource.Host.Flush(rect);
        }

        return errno;
    }
}
