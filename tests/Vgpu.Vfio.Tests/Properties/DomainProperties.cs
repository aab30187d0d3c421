using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Tests.Iommu;

namespace Vgpu.Vfio.Tests.Properties;

// Any sequence of maps, unmaps and accesses does what the naive model does: answers, memory and runs.
public sealed unsafe class DomainProperties
{
    private const int MaxMaps = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Agrees_with_a_naive_model(ulong seed) => Sequence.ForAll(DomainStep.Any, DomainStep.Simpler, seed, Sequence.Few, Holds);

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Agrees_with_a_naive_model_for_long(ulong seed) => Sequence.ForAll(DomainStep.Any, DomainStep.Simpler, seed, Sequence.Many, Holds);

    private static void Holds(DomainStep[] steps)
    {
        using var guest = new GuestMemory(DomainStep.FilePages, MaxMaps);
        guest.Number();
        var model = new DomainModel(MaxMaps);
        byte[] file = guest.View.Span.ToArray();
        foreach (DomainStep step in steps)
        {
            Play(guest, model, file, step);
            Assert.Equal(model.Count, guest.Iommu.MapCount);
        }

        Assert.True(guest.View.Span.SequenceEqual(file), "memory differs");
        guest.Iommu.UnmapAll();
        Assert.Equal((0, 0), (guest.Iommu.MapCount, guest.Iommu.MappedFileCount));
    }

    private static void Play(GuestMemory guest, DomainModel model, byte[] file, DomainStep step)
    {
        Type2 iommu = guest.Iommu;
        ulong at = step.Page * Type2.PageSize;
        switch (step.Call)
        {
            case DomainCall.Map:
                Assert.Equal(model.Map(step, true), iommu.Map(at, step.Pages * Type2.PageSize, step.Protection, guest.File.Duplicate(), step.FilePage * Type2.PageSize));
                break;
            case DomainCall.MapWithoutFile:
                Assert.Equal(model.Map(step, false), iommu.Map(at, step.Pages * Type2.PageSize, step.Protection, null, 0));
                break;
            case DomainCall.Unmap:
                Assert.Equal(model.Unmap(step), iommu.Unmap(at, step.Pages * Type2.PageSize));
                break;
            case DomainCall.UnmapAll:
                model.Clear();
                iommu.UnmapAll();
                break;
            case DomainCall.Resolve or DomainCall.TryGetRun:
                Translate(guest, model, step);
                break;
            case DomainCall.Read or DomainCall.Write:
                Access(iommu, model, file, step);
                break;
            case DomainCall.BusMaster:
                iommu.BusMaster = model.BusMaster = !model.BusMaster;
                break;
        }
    }

    private static void Translate(GuestMemory guest, DomainModel model, DomainStep step)
    {
        var runs = new List<HostRun>();
        if (step.Length == 0)
        {
            Assert.Equal(model.BusMaster ? Errno.None : Errno.EPERM, guest.Iommu.Resolve(step.Iova, 0, step.Protection, runs));
            Assert.Equal(Errno.EINVAL, guest.Iommu.TryGetRun(step.Iova, 0, step.Protection, out _));
            return;
        }

        // A wrap is seen before the first page here, and after it below.
        bool wraps = step.Length - 1 > ulong.MaxValue - step.Iova;
        Errno expected = model.Check(step.Iova, step.Length, step.Protection);
        Assert.Equal(wraps && model.BusMaster ? Errno.EFAULT : expected, guest.Iommu.Resolve(step.Iova, step.Length, step.Protection, runs));
        AssertCovers(guest, model, step.Iova, expected == Errno.None ? step.Length : 0, runs);

        Errno one = guest.Iommu.TryGetRun(step.Iova, step.Length, step.Protection, out HostRun run);
        Assert.True(one == (expected == Errno.None && runs.Count > 1 ? Errno.ERANGE : expected) || (wraps && one != Errno.None), $"TryGetRun: {one}");
        Assert.Equal(one == Errno.None ? runs[0] : default, run);
    }

    private static void Access(Type2 iommu, DomainModel model, byte[] file, DomainStep step)
    {
        bool write = step.Call == DomainCall.Write;
        byte[] data = new byte[step.Length];
        data.AsSpan().Fill((byte)(step.Within + step.Length));
        if (step.Length == 0)
        {
            Assert.Equal(model.BusMaster ? Errno.None : Errno.EPERM, iommu.DmaRw(step.Iova, data, write));
            return;
        }

        bool wraps = step.Length - 1 > ulong.MaxValue - step.Iova;
        Errno expected = model.Check(step.Iova, step.Length, write ? IommuProtection.IOMMU_WRITE : IommuProtection.IOMMU_READ);
        Errno errno = iommu.DmaRw(step.Iova, data, write);
        Assert.True(errno == expected || (wraps && errno != Errno.None), $"{errno} instead of {expected}");
        for (ulong i = 0; errno == Errno.None && i < step.Length; i += write ? 1UL : 61)
        {
            ref byte inFile = ref file[model.FileOffset(step.Iova + i)];
            if (write)
            {
                inFile = data[i];
            }
            else
            {
                Assert.Equal(inFile, data[i]);
            }
        }
    }

    // The runs cover the range in order, show the right memory, and no two of them could be one.
    private static void AssertCovers(GuestMemory guest, DomainModel model, ulong iova, ulong length, List<HostRun> runs)
    {
        ulong at = iova;
        HostRun before = default;
        foreach (HostRun run in runs)
        {
            Assert.Equal(at, run.Iova);
            Assert.False(before.Length != 0 && before.Address + (nint)before.Length == run.Address);
            for (ulong i = 0; i < run.Length; i += 1013)
            {
                // Sound: the domain gave the run, and nothing is unmapped before the next step.
                Assert.Equal(guest.View.Span[model.FileOffset(at + i)], ((byte*)run.Address)[i]);
            }

            at += run.Length;
            before = run;
        }

        Assert.Equal(iova + length, at);
    }
}
