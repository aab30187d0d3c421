using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Bench;

/// <summary>
/// TRANSFER_TO_HOST_2D and RESOURCE_FLUSH of a whole shown resource, from guest memory to the surface that viewers
/// read, against one memory copy of the same bytes between the same two places.
/// </summary>
internal static unsafe class TransferBenchmark
{
    private const int Width = 1920;
    private const int Height = 1080;
    private const int Rounds = 15;
    private const int CopiesARound = 20;
    private const ulong PageSize = 4096;
    private const ulong Bytes = (ulong)Width * Height * 4;

    internal static IEnumerable<Figure> Run()
    {
        yield return Measure("transfer and flush 1920x1080, one run, GB/s", [new DmaEntry(0, (uint)Bytes)]);
        yield return Measure("transfer and flush 1920x1080, scattered pages, GB/s", ScatteredPages());
    }

    // Every page of the resource somewhere else: no two neighbours, in an order that does not follow the addresses.
    private static DmaEntry[] ScatteredPages()
    {
        ulong pages = (Bytes + PageSize - 1) / PageSize;
        var entries = new DmaEntry[pages];
        for (ulong i = 0; i < pages; i++)
        {
            entries[i] = new DmaEntry(i * 1567 % pages * 2 * PageSize, (uint)Math.Min(PageSize, Bytes - (i * PageSize)));
        }

        return entries;
    }

    private static Figure Measure(string name, DmaEntry[] entries)
    {
        const ulong GuestBytes = 64 << 20;
        using FileDescriptor guestFile = MemFd.Create("bench-guest", GuestBytes);
        using MemoryMapping guest = MemoryMapping.Share(guestFile, 0, GuestBytes, MemoryProtection.ReadWrite);
        guest.Span.Fill(0x5a);
        using var iommu = new Type2(NullLogger.Instance) { BusMaster = true };
        Require(iommu.Map(0, GuestBytes, IommuProtection.IOMMU_READ, guestFile.Duplicate(), 0));
        var backing = new DmaScatterList(iommu, entries, IommuProtection.IOMMU_READ);
        using var renderer = new SoftwareRenderer();
        using IRendererResource resource = renderer.CreateResource2D(PixelFormat.B8G8R8X8, Width, Height)!;
        Surface surface = resource.GetSurface()!;
        var whole = new Rect(0, 0, Width, Height);

        List<double> ours = [];
        List<double> copies = [];
        for (int round = 0; round <= Rounds; round++)
        {
            double transfer = Time(() =>
            {
                Require(resource.TransferFromGuest(backing, whole, 0));
                resource.Flush(whole);
            });
            double copy = Time(() => Buffer.MemoryCopy(guest.Pointer, surface.Pixels, Bytes, Bytes));
            if (round > 0)
            {
                ours.Add(transfer);
                copies.Add(copy);
            }
        }

        return new Figure(name, Figure.Median(ours), Figure.Median(copies));
    }

    private static double Time(Action once)
    {
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < CopiesARound; i++)
        {
            once();
        }

        return Bytes * CopiesARound / Stopwatch.GetElapsedTime(begun).TotalSeconds / 1e9;
    }

    private static void Require(Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new LinuxException("transfer", errno);
        }
    }
}
