using Microsoft.Extensions.Logging;
using Vgpu.Pci;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Virtio;

public sealed class VirtioPciTransport : PciFunction, IVirtioTransport
{
    public VirtioPciTransport(Type2 iommu, VirtioDevice device, PciInterruptMode interrupts, ILogger log)
        : base(iommu, null!, interrupts, 0) => throw new NotImplementedException();

    public ILogger Log => throw new NotImplementedException();

    public void ConfigChanged() => throw new NotImplementedException();

    public void NeedsReset(string why) => throw new NotImplementedException();

    public void Wake(int queue) => throw new NotImplementedException();

    protected override void OnReset() => throw new NotImplementedException();

    protected override void OnDmaUnmap(ulong iova, ulong length) => throw new NotImplementedException();
}
