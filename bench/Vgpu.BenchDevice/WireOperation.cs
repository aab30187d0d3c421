using System.Diagnostics;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.BenchDevice;

/// <summary>
/// The timed work of the bench device, as a device does it through its domain. One operation is one unit of work: the
/// device's lock is taken for it, which is what keeps a translated address alive here.
/// </summary>
/// <remarks>
/// What the peer does as get and put (an address out of a translated piece, and its pages marked dirty if it was for
/// writing and dirty pages are logged) is here <see cref="Type2.TryGetRun"/>, which gives the address and marks the pages,
/// with the lock held as long as the address is used.
/// </remarks>
internal readonly struct WireOperation(Type2 iommu, Lock deviceLock, VfioIrqTriggers triggers)
{
    private const ulong Scatter = 2_654_435_761;

    internal required ulong Iova { get; init; }

    internal required ulong Length { get; init; }

    internal required ulong Stride { get; init; }

    internal required ulong Span { get; init; }

    /// <summary>Does it <paramref name="count"/> times; the time that all took in ns, and how many succeeded.</summary>
    internal (ulong Nanoseconds, ulong Succeeded) Run(byte operation, ulong count)
    {
        long begun = Stopwatch.GetTimestamp();
        ulong succeeded = operation switch
        {
            1 => Translate(count),
            2 => Read(count),
            3 => Write(count),
            4 => Trigger(count),
            5 => Message(count, write: false),
            6 => Message(count, write: true),
            _ => 0,
        };
        return ((ulong)Stopwatch.GetElapsedTime(begun).TotalNanoseconds, succeeded);
    }

    private ulong At(ulong i) => Iova + (i * Scatter % Span * Stride);

    private ulong Translate(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            lock (deviceLock)
            {
                succeeded += iommu.TryGetRun(At(i), Length, IommuProtection.IOMMU_READ, out _) == Errno.None ? 1UL : 0;
            }
        }

        return succeeded;
    }

    // Sound: the run is used with the device's lock held, and is not empty; the read stays within its first byte.
    private unsafe ulong Read(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            lock (deviceLock)
            {
                if (iommu.TryGetRun(At(i), Length, IommuProtection.IOMMU_READ, out HostRun run) == Errno.None && run.Address != 0)
                {
                    succeeded++;
                }
            }
        }

        return succeeded;
    }

    // Sound: the run is used with the device's lock held, and the write stays within it.
    private unsafe ulong Write(ulong count)
    {
        const IommuProtection both = IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE;
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            lock (deviceLock)
            {
                if (iommu.TryGetRun(At(i), Length, both, out HostRun run) == Errno.None && run.Length >= sizeof(uint))
                {
                    Volatile.Write(ref *(uint*)run.Address, (uint)i);
                    succeeded++;
                }
            }
        }

        return succeeded;
    }

    private ulong Trigger(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            lock (deviceLock)
            {
                succeeded += triggers.Signal(0) ? 1UL : 0;
            }
        }

        return succeeded;
    }

    private ulong Message(ulong count, bool write)
    {
        byte[] data = new byte[Length];
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            lock (deviceLock)
            {
                succeeded += iommu.DmaRw(At(i), data, write) == Errno.None ? 1UL : 0;
            }
        }

        return succeeded;
    }
}
