// A guest with a virtio GPU: its memory, and a driver that reaches the device through the regions of the PCI function only.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal sealed unsafe class GpuGuest : IDisposable
{
    internal const ulong RamIova = 0x4000_0000;
    internal const ulong RamSize = 64 << 20;
    internal const ulong AllFeatures = 0b1110;

    /// <summary>Where pictures may be put: above it the guest has nothing else.</summary>
    internal const ulong PictureOffset = 8 << 20;

    private const ulong RequestOffset = 0x10_0000;
    private const ulong ResponseOffset = 0x70_0000;
    private const ulong CommonConfig = 0x0000;
    private const ulong DeviceConfig = 0x2000;
    private const ulong Notify = 0x3000;
    private const ulong Version1 = 1UL << 32;

    private readonly FileDescriptor _file;
    private readonly MemoryMapping _ram;
    private readonly GuestQueue[] _queues;
    private readonly EventFd _configInterrupt;

    internal GpuGuest(int heads = 1, ulong videoMemory = 64 << 20, ulong features = AllFeatures)
    {
        _file = MemFd.Create("guest-ram", RamSize);
        _ram = MemoryMapping.Share(_file, 0, RamSize, MemoryProtection.ReadWrite);
        Iommu = new Type2(NullLogger.Instance);
        Screen = new Screen(heads, new DisplayMode(1024, 768));
        Device = new VirtioGpuDevice(Screen, new SoftwareRenderer(), videoMemory, guestBlobs: true);
        Function = new VirtioPciTransport(Iommu, Device, PciInterruptMode.Msix, NullLogger.Instance);
        MapRam();
        _queues = [NewQueue(0x0000, 64), NewQueue(0x8000, 16)];
        _configInterrupt = EventFd.Create();
        EventFd?[] triggers = [Copy(_configInterrupt), Copy(_queues[0].Interrupt), Copy(_queues[1].Interrupt)];
        Ok(Function.SetIrqs(VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX, 0, 3,
            VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER, [], triggers));
        Start(features);
    }

    internal VirtioGpuDevice Device { get; }

    internal VirtioPciTransport Function { get; }

    internal Type2 Iommu { get; }

    internal Screen Screen { get; }

    internal Head Head => Screen.Heads[0];

    /// <summary>The file behind the guest's memory.</summary>
    internal FileDescriptor RamFile => _file;

    internal EventFd ConfigInterrupt => _configInterrupt;

    /// <summary>The last response, header first.</summary>
    internal ReadOnlySpan<byte> Response => new(_ram.Pointer + ResponseOffset, 4096);

    /// <summary>What the device said to have written of it.</summary>
    internal uint ResponseLength { get; private set; }

    internal Span<byte> Ram(ulong offset, int length) => _ram.Span.Slice((int)offset, length);

    internal void MapRam() => Ok(Iommu.Map(RamIova, RamSize, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, _file.Duplicate(), 0));

    /// <summary>The initialisation of virtio 1.2, 3.1.1, from the reset on.</summary>
    internal void Start(ulong features)
    {
        Ok(Function.WriteRegion(VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX, 4, [6, 0]));
        Common(20, 0, 1);
        Common(20, 1, 1);
        Common(20, 3, 1);
        Common(8, 0, 4);
        Common(12, (uint)features, 4);
        Common(8, 1, 4);
        Common(12, (uint)((features | Version1) >> 32), 4);
        Common(20, 11, 1);
        Assert.Equal(11UL, ReadCommon(20, 1));
        Common(16, 0, 2);
        for (ushort i = 0; i < _queues.Length; i++)
        {
            _queues[i].Reset();
            Common(22, i, 2);
            Common(24, _queues[i].Size, 2);
            Common(26, i + 1u, 2);
            Common(32, _queues[i].Descriptors, 8);
            Common(40, _queues[i].Available, 8);
            Common(48, _queues[i].Used, 8);
            Common(28, 1, 2);
        }

        Common(20, 15, 1);
        Assert.Equal(15UL, ReadCommon(20, 1));
    }

    internal uint ReadConfig(int field)
    {
        Span<byte> data = stackalloc byte[4];
        Ok(Function.ReadRegion(0, DeviceConfig + (4 * (ulong)field), data));
        return BinaryPrimitives.ReadUInt32LittleEndian(data);
    }

    internal void WriteConfig(int field, uint value) =>
        Ok(Function.WriteRegion(0, DeviceConfig + (4 * (ulong)field), MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value))));

    /// <summary>Sends a command on the control queue; the response's type.</summary>
    internal uint Send<T>(uint type, T request, ReadOnlySpan<VirtioGpuMemEntry> entries = default, uint room = 4096)
        where T : unmanaged => Send(CONTROLQ, type, request, entries, room);

    /// <summary>Sends a command on the cursor queue, with room for a response.</summary>
    internal uint SendCursor(uint type, VirtioGpuUpdateCursor request) => Send<VirtioGpuUpdateCursor>(CURSORQ, type, request, default, 24);

    /// <summary>Sends bytes as they are; the response's type, 0 where none was written.</summary>
    internal uint SendBytes(ReadOnlySpan<byte> request, uint room = 4096, int queue = CONTROLQ)
    {
        request.CopyTo(Ram(RequestOffset, request.Length));
        return Submit(queue, (uint)request.Length, room);
    }

    /// <summary>A response's struct.</summary>
    internal T ResponseAs<T>()
        where T : unmanaged => MemoryMarshal.Read<T>(Response);

    internal void ResetFunction() => Function.Reset();

    public void Dispose()
    {
        Function.Dispose();
        Iommu.Dispose();
        foreach (GuestQueue queue in _queues)
        {
            queue.Dispose();
        }

        _configInterrupt.Dispose();
        _ram.Dispose();
        _file.Dispose();
    }

    private static EventFd Copy(EventFd fd) => new(fd.Descriptor.Duplicate());

    private static void Ok(Errno errno) => Assert.Equal(Errno.None, errno);

    private uint Send<T>(int queue, uint type, T request, ReadOnlySpan<VirtioGpuMemEntry> entries, uint room)
        where T : unmanaged
    {
        Unsafe.As<T, uint>(ref request) = type;
        int length = Unsafe.SizeOf<T>();
        ReadOnlySpan<byte> tail = MemoryMarshal.AsBytes(entries);
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)).CopyTo(Ram(RequestOffset, length));
        tail.CopyTo(Ram(RequestOffset + (ulong)length, tail.Length));
        return Submit(queue, (uint)(length + tail.Length), room);
    }

    private uint Submit(int queue, uint length, uint room)
    {
        Ram(ResponseOffset, 4096).Fill(0xee);
        _queues[queue].Offer(RamIova + RequestOffset, length, RamIova + ResponseOffset, room);
        uint index = (uint)queue;
        _ = Function.WriteRegion(0, Notify + (4 * (ulong)queue), MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in index))[..2]);
        ResponseLength = _queues[queue].WaitUsed();
        return ResponseLength >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Response) : 0;
    }

    private GuestQueue NewQueue(ulong offset, ushort size) => new(_ram.Pointer, RamIova, offset, size, EventFd.Create());

    private void Common(ulong offset, ulong value, int length) =>
        Ok(Function.WriteRegion(0, CommonConfig + offset, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value))[..length]));

    private ulong ReadCommon(ulong offset, int length)
    {
        ulong value = 0;
        Ok(Function.ReadRegion(0, CommonConfig + offset, MemoryMarshal.AsBytes(new Span<ulong>(ref value))[..length]));
        return value;
    }
}
