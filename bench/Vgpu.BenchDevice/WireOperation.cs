using System.Diagnostics;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.BenchDevice;

/// <summary>
/// The timed work of the bench device, as a device does it through its domain: one write of the register is one unit of
/// work, for which the device's lock is taken once. That lock is what keeps translated addresses alive here; with the peer
/// it is that no other message is handled before the register's write returns.
/// </summary>
/// <remarks>
/// The peer translates to a piece, gets an address from that, and puts the piece back, which marks its pages dirty if it was
/// for writing and dirty pages are logged. <see cref="Type2.TryGetRun"/> does all of it: the address, and the marks. What is
/// asked here is the same for get and put as without them, and so takes the same time.
/// </remarks>
internal readonly struct WireOperation(VfioDevice device, VfioIrqTriggers triggers)
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
            // A map of messages has no address to keep alive, and nobody sends with the lock held.
            5 => Message(count, write: false),
            6 => Message(count, write: true),
            _ => RunLocked(operation, count),
        };
        return ((ulong)Stopwatch.GetElapsedTime(begun).TotalNanoseconds, succeeded);
    }

    private ulong RunLocked(byte operation, ulong count)
    {
        lock (device.Lock)
        {
            return operation switch
            {
                1 => Translate(count),
                2 => Read(count),
                3 => Write(count),
                4 => Trigger(count),
                _ => 0,
            };
        }
    }

    private ulong At(ulong i) => Iova + (i * Scatter % Span * Stride);

    private ulong Translate(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            succeeded += device.Iommu.TryGetRun(At(i), Length, IommuProtection.IOMMU_READ, out _) == Errno.None ? 1UL : 0;
        }

        return succeeded;
    }

    private ulong Read(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (device.Iommu.TryGetRun(At(i), Length, IommuProtection.IOMMU_READ, out HostRun run) == Errno.None && run.Address != 0)
            {
                succeeded++;
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
            if (device.Iommu.TryGetRun(At(i), Length, both, out HostRun run) == Errno.None && run.Length >= sizeof(uint))
            {
                Volatile.Write(ref *(uint*)run.Address, (uint)i);
                succeeded++;
            }
        }

        return succeeded;
    }

    private ulong Trigger(ulong count)
    {
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            succeeded += triggers.Signal(0) ? 1UL : 0;
        }

        return succeeded;
    }

    private ulong Message(ulong count, bool write)
    {
        byte[] data = new byte[Length];
        ulong succeeded = 0;
        for (ulong i = 0; i < count; i++)
        {
            succeeded += device.DmaRw(At(i), data, write) == Errno.None ? 1UL : 0;
        }

        return succeeded;
    }
}
