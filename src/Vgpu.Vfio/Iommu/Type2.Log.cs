using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

// What a domain tells the operator: each reason once, for a client may repeat a mistake as often as it likes.
public sealed partial class Type2
{
    private ulong _told;

    [LoggerMessage(Level = LogLevel.Warning, Message = "DMA map of {Size:x} bytes at {Iova:x} refused: {Reason} ({Errno})")]
    private static partial void LogRefused(ILogger logger, ulong iova, ulong size, string reason, Errno errno);

    private void LogRefused(Errno errno, ulong iova, ulong size)
    {
        ulong bit = 1UL << ((int)errno & 63);
        if (Logger is not { } logger || (Interlocked.Or(ref _told, bit) & bit) != 0)
        {
            return;
        }

        string reason = errno switch
        {
            Errno.EINVAL => "the descriptor is not a memory file on tmpfs or hugetlbfs, or the range is not within it",
            Errno.EACCES => "the file is not opened for the access that the map claims",
            Errno.ENOTSUP => "the file can't be sealed against shrinking, which a client must do itself on this architecture",
            _ => "the file can't be mapped",
        };
        LogRefused(logger, iova, size, reason, errno);
    }
}
