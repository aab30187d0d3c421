using Vgpu.Linux;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Tests.Iommu;
using static Vgpu.Vfio.Tests.Iommu.GuestMemory;

namespace Vgpu.Vfio.Tests.Properties;

// Whatever is tracked, written, pinned and reported, by any page size: each report has the bits of the naive model.
public sealed class DirtyProperties
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Agrees_with_a_naive_model(ulong seed) => Sequence.ForAll(DirtyStep.Any, DirtyStep.Simpler, seed, Sequence.Few, Holds);

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Agrees_with_a_naive_model_for_long(ulong seed) => Sequence.ForAll(DirtyStep.Any, DirtyStep.Simpler, seed, Sequence.Many, Holds);

    private static void Holds(DirtyStep[] steps)
    {
        using var guest = new GuestMemory(DirtyStep.WindowPages);
        Assert.Equal(Errno.None, guest.Map(0, DirtyStep.WindowPages));
        Assert.Equal(Errno.None, guest.Map((1UL << 52) - DirtyStep.WindowPages, DirtyStep.WindowPages));
        var model = new DirtyModel();
        foreach (DirtyStep step in steps)
        {
            Play(guest.Iommu, model, step);
        }
    }

    private static void Play(Type2 iommu, DirtyModel model, DirtyStep step)
    {
        ulong page = step.Iova & ~(Page - 1);
        switch (step.Call)
        {
            case DirtyCall.Start:
                Assert.Equal(model.Start(step), iommu.StartDirtyTracking(step.Iova, step.Length, step.PageSize));
                break;
            case DirtyCall.StartAll:
                Assert.Equal(model.StartAll(step.Shift), iommu.StartDirtyTracking(step.PageSize));
                break;
            case DirtyCall.Stop:
                model.Stop();
                iommu.StopDirtyTracking();
                break;
            case DirtyCall.Write:
                MarkIf(model, step, iommu.DmaRw(step.Iova, new byte[step.Length], write: true));
                break;
            case DirtyCall.Resolve:
                MarkIf(model, step, iommu.Resolve(step.Iova, step.Length, RW, []));
                break;
            case DirtyCall.Mark:
                model.Mark(step.Iova, step.Length);
                iommu.MarkDirty(step.Iova, step.Length);
                break;
            case DirtyCall.Pin:
                Assert.Equal(Errno.None, iommu.PinPages(page, 1, RW, new nint[1]));
                model.Pin(page);
                break;
            case DirtyCall.Unpin:
                model.Unpin(page);
                iommu.UnpinPages(page, 1);
                break;
            case DirtyCall.Report:
                Report(iommu, model, step);
                break;
        }
    }

    // A write that leaves its window is refused as a whole, and marks nothing.
    private static void MarkIf(DirtyModel model, DirtyStep step, Errno errno)
    {
        Assert.Equal(step.Offset + step.Length <= DirtyStep.Window || step.Length == 0, errno == Errno.None);
        if (errno == Errno.None)
        {
            model.Mark(step.Iova, step.Length);
        }
    }

    private static void Report(Type2 iommu, DirtyModel model, DirtyStep step)
    {
        ulong bits = step.Length == 0 ? 0 : ((step.Length - 1) >> step.Shift) + 1;
        byte[] bitmap = new byte[((bits + 7) / 8) + 1];
        Errno expected = model.Report(step, out List<int> dirty);
        if (expected == Errno.None)
        {
            Array.Fill(bitmap, (byte)0xff);
        }

        Assert.Equal(expected, iommu.ReadDirty(step.Iova, step.Length, step.PageSize, bitmap));
        Assert.Equal(dirty, Enumerable.Range(0, bitmap.Length * 8).Where(n => (bitmap[n / 8] >> (n % 8) & 1) != 0));
    }
}
