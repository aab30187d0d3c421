// A served device as its client sees it: whatever drives a device drives it through the protocol.
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Vfio.Migration;
using Vgpu.VfioUser;

namespace Vgpu.Testing;

public sealed class RemoteDevice : VfioDevice
{
    /// <summary>Connects and asks for what there is.</summary>
    public RemoteDevice(string socketPath)
        : base(new Type2())
    {
        Client = VfioUserClient.Connect(socketPath);
        _ = Client.Negotiate();
        var info = Client.GetDeviceInfo();
        Flags = info.Flags;
        var regions = new VfioRegion[info.RegionCount];
        for (int i = 0; i < regions.Length; i++)
        {
            VfioUserRegion region = Client.GetRegionInfo(i);
            regions[i] = new VfioRegion { Flags = region.Flags, Size = region.Size, File = region.File };
        }

        Regions = regions;
        Irqs = [.. Enumerable.Range(0, (int)info.IrqCount).Select(Client.GetIrqInfo)];
    }

    public VfioUserClient Client { get; }

    public override VfioDeviceFlags Flags { get; }

    public override IReadOnlyList<VfioRegion> Regions { get; }

    public override IReadOnlyList<VfioIrqInfo> Irqs { get; }

    /// <summary>Shares a guest's memory.</summary>
    public void Map(FakeGuest guest) =>
        Client.DmaMap(FakeGuest.Base, FakeGuest.PieceSize, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, guest.File);

    /// <summary>Stops the device and reads its state.</summary>
    public byte[] Save()
    {
        Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP);
        Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP_COPY);
        using var state = new MemoryStream();
        var piece = new byte[VfioUserLimits.MaxDataXferSize];
        for (int read = Client.MigDataRead(piece); read != 0; read = Client.MigDataRead(piece))
        {
            state.Write(piece, 0, read);
        }

        Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP);
        return state.ToArray();
    }

    /// <summary>Writes another's state, which leaves the device stopped.</summary>
    public void Load(ReadOnlySpan<byte> state)
    {
        Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_RESUMING);
        while (!state.IsEmpty)
        {
            int length = Math.Min(state.Length, VfioUserLimits.MaxDataXferSize);
            Client.MigDataWrite(state[..length]);
            state = state[length..];
        }

        Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP);
    }

    public void Run() => Client.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_RUNNING);

    /// <summary>A whole region, at 4 bytes an access, as a guest's driver reads registers.</summary>
    public byte[] ReadAll(int region, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i += sizeof(uint))
        {
            Client.RegionRead(region, (ulong)i, bytes.AsSpan(i, sizeof(uint)));
        }

        return bytes;
    }

    public override Errno ReadRegion(int index, ulong offset, Span<byte> data)
    {
        Client.RegionRead(index, offset, data);
        return Errno.None;
    }

    public override Errno WriteRegion(int index, ulong offset, ReadOnlySpan<byte> data)
    {
        Client.RegionWrite(index, offset, data);
        return Errno.None;
    }

    public override Errno SetIrqs(int index, uint start, uint count, VfioIrqSetFlags flags, ReadOnlySpan<byte> bools, ReadOnlySpan<EventFd?> eventfds)
    {
        var files = new FileDescriptor[eventfds.Length];
        for (int i = 0; i < files.Length; i++)
        {
            files[i] = eventfds[i]!.Descriptor;
        }

        Client.SetIrqs(index, (int)start, (int)count, flags, bools, files);
        VfioIrqTriggers.Discard(eventfds);
        return Errno.None;
    }

    public override void Reset() => Client.Reset();

    public override void Close()
    {
    }

    public override void DmaUnmap(ulong iova, ulong length)
    {
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (VfioRegion region in Regions)
        {
            region.File?.Dispose();
        }

        Client.Dispose();
        Iommu.Dispose();
    }
}
