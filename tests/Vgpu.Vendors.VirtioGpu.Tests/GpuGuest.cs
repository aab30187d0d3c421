// A guest with a virtio GPU: its memory, and a driver that reaches the device through the regions of the PCI function only.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio.Iommu;
using Vgpu.Virtio;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal sealed class GpuGuest : IDisposable
{
    internal const ulong RamIova = FakeGuest.Base;
    internal const ulong AllFeatures = 0b1110;

    /// <summary>Where pictures may be put: above it the guest has nothing else.</summary>
    internal const ulong PictureOffset = 8 << 20;

    private const ulong RequestOffset = 0x10_0000;
    private const ulong ResponseOffset = 0x70_0000;
    private const int DeviceConfig = 0x2000;
    private const int PlaceSize = 0x1000;

    private readonly bool _ownsGuest = true;
    private readonly bool _ownsFunction = true;
    private readonly FakeGuest _guest;
    private readonly FakeDriver _driver;
    private readonly FakeQueue[] _queues;

    internal GpuGuest(int heads = 1, ulong videoMemory = 64 << 20, ulong features = AllFeatures, DisplayMode? maxMode = null,
        Func<IRenderer3D>? renderer3D = null, RendererPatience? patience = null, Func<IShareGate>? share = null)
    {
        _guest = new FakeGuest();
        Screen = new Screen(heads, new DisplayMode(1024, 768), maxMode);
        var notices = new VgpuNotices();
        Device = new VirtioGpuDevice(
            Screen, new SoftwareRenderer(), videoMemory, guestBlobs: renderer3D is null, notices, 0, renderer3D, share, patience ?? RendererPatience.Default);
        Function = new VirtioPciTransport(Iommu, Device, PciInterruptMode.Msix, NullLogger.Instance);
        Instance = new VgpuInstance(Function, Screen, Device, notices);
        _driver = new FakeDriver(Function, msix: true);
        _queues = [new FakeQueue(_guest, CONTROLQ, 64), new FakeQueue(_guest, CURSORQ, 16)];
        Start(features);
    }

    /// <summary>Another device for the same guest, with the driver where it is: what a move to another server finds there.</summary>
    internal GpuGuest(GpuGuest from, int heads = 1, ulong videoMemory = 64 << 20, bool blobs = true, PciInterruptMode interrupts = PciInterruptMode.Msix,
        ILogger? log = null, ulong peak = 0, Func<IRenderer3D>? renderer3D = null)
    {
        _ownsGuest = false;
        _guest = from._guest;
        Screen = new Screen(heads, new DisplayMode(800, 600));
        Device = new VirtioGpuDevice(Screen, new SoftwareRenderer(), videoMemory, blobs && renderer3D is null, peakVideoMemory: peak, renderer3D: renderer3D);
        Function = new VirtioPciTransport(Iommu, Device, interrupts, log ?? NullLogger.Instance);
        _driver = new FakeDriver(Function, interrupts == PciInterruptMode.Msix);
        _queues = from._queues;
    }

    /// <summary>
    /// A driver that reaches a served device through its connection only; <paramref name="from"/>: the driver is that one,
    /// and goes on with a device that another server has now.
    /// </summary>
    internal GpuGuest(ServedGpu served, GpuGuest? from = null)
    {
        _ownsFunction = false;
        _ownsGuest = from is null;
        _guest = from?._guest ?? new FakeGuest();
        Screen = served.Screen;
        Device = served.Device;
        Function = served.Function;
        served.Remote.Map(_guest);
        _driver = new FakeDriver(served.Remote, msix: true, turnOn: from is null);
        _queues = from?._queues ?? [new FakeQueue(_guest, CONTROLQ, 64), new FakeQueue(_guest, CURSORQ, 16)];
        if (from is null)
        {
            Start(AllFeatures);
        }
    }

    /// <summary>As its owner sees it.</summary>
    internal VgpuInstance? Instance { get; }

    internal VirtioGpuDevice Device { get; }

    internal VirtioPciTransport Function { get; }

    internal Type2 Iommu => _guest.Iommu;

    internal Screen Screen { get; }

    internal Head Head => Screen.Heads[0];

    /// <summary>Waits until the device says that it must be reset.</summary>
    internal void AwaitNeedsReset()
    {
        while (!_driver.NeedsReset)
        {
            _ = _driver.WaitEvent(0);
        }
    }

    /// <summary>The file behind the guest's memory.</summary>
    internal FileDescriptor RamFile => _guest.File;

    internal EventFd ConfigInterrupt => _driver.Events[0];

    /// <summary>The last response, header first.</summary>
    internal ReadOnlySpan<byte> Response => Ram(ResponseOffset, 4096);

    /// <summary>What the device said to have written of it.</summary>
    internal uint ResponseLength { get; private set; }

    /// <summary>The used index of the control queue one back: as the driver sees it where the last chain was not published.</summary>
    internal void TakeBackUsedIndex() => _guest.Set16(_queues[CONTROLQ].Used + 2, (ushort)(_queues[CONTROLQ].UsedIndex - 1));

    /// <summary>The client's memory map for a moment.</summary>
    internal void Unmap() => _guest.UnmapFirst();

    internal void Map() => _guest.MapFirst();

    internal Span<byte> Ram(ulong offset, int length) => _guest.At(RamIova + offset, length);

    /// <summary>The initialisation of virtio 1.2, 3.1.1, from the reset on.</summary>
    internal void Start(ulong features)
    {
        _driver.TurnOn();
        Assert.True(_driver.Negotiate(features | VirtioFeatures.VIRTIO_F_VERSION_1));
        _driver.Write16(0, _driver.Common(VIRTIO_PCI_COMMON_MSIX), 0);
        foreach (FakeQueue queue in _queues)
        {
            _driver.Setup(queue, VectorOf(queue));
            _ = _driver.Events[VectorOf(queue)].Take();
        }

        _driver.Ready();
    }

    internal uint ReadConfig(int field) => _driver.Read32(0, DeviceConfig + (4 * field));

    internal void WriteConfig(int field, uint value) => _driver.Write32(0, DeviceConfig + (4 * field), value);

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
        if (_ownsFunction)
        {
            Function.Dispose();
        }

        _driver.Dispose();
        if (_ownsGuest)
        {
            _guest.Dispose();
        }
    }

    private static ushort VectorOf(FakeQueue queue) => (ushort)(queue.Index + 1);

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

    /// <summary>Offers a command on the control queue and waits for nothing.</summary>
    internal void Post<T>(uint type, T request)
        where T : unmanaged
    {
        Unsafe.As<T, uint>(ref request) = type;
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)).CopyTo(Ram(RequestOffset, Unsafe.SizeOf<T>()));
        Offer(_queues[CONTROLQ], (uint)Unsafe.SizeOf<T>(), 4096);
    }

    /// <summary>
    /// As <see cref="Post{T}"/>, with a place of its own, one of 15: several may be under way, and what waits for its answer beside them. The head of its chain.
    /// </summary>
    internal ushort PostAt<T>(int place, uint type, T request)
        where T : unmanaged
    {
        Unsafe.As<T, uint>(ref request) = type;
        ulong offset = ((ulong)place + 1) * PlaceSize;
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in request)).CopyTo(Ram(RequestOffset + offset, Unsafe.SizeOf<T>()));
        Ram(ResponseOffset + offset, PlaceSize).Fill(0xee);
        FakeQueue queue = _queues[CONTROLQ];
        ushort head = queue.Add(
            new GuestBuffer(RamIova + RequestOffset + offset, (uint)Unsafe.SizeOf<T>()), new GuestBuffer(RamIova + ResponseOffset + offset, PlaceSize, Writable: true));
        _driver.Kick(queue);
        return head;
    }

    /// <summary>The response at a place.</summary>
    internal VirtioGpuCtrlHdr ResponseAt(int place) => MemoryMarshal.Read<VirtioGpuCtrlHdr>(Ram(ResponseOffset + (((ulong)place + 1) * PlaceSize), PlaceSize));

    /// <summary>Whose chain was answered as this one, from 0 on.</summary>
    internal ushort AnsweredHead(int index) => (ushort)_queues[CONTROLQ].UsedEntry(index).Id;

    /// <summary>Features that the device offers.</summary>
    internal ulong Offered => _driver.OfferedFeatures;

    /// <summary>Tells the device of both queues, whatever is in them.</summary>
    internal void Kick() => Array.ForEach(_queues, _driver.Kick);

    /// <summary>Commands of the control queue that were answered.</summary>
    internal ushort Answered => _queues[CONTROLQ].UsedIndex;

    /// <summary>Waits until so many commands were answered.</summary>
    internal void Await(int answered)
    {
        while ((short)(_queues[CONTROLQ].UsedIndex - answered) < 0)
        {
            _ = _driver.WaitEvent(VectorOf(_queues[CONTROLQ]));
        }
    }

    private void Offer(FakeQueue queue, uint length, uint room)
    {
        Ram(ResponseOffset, 4096).Fill(0xee);
        var request = new GuestBuffer(RamIova + RequestOffset, length);
        var response = new GuestBuffer(RamIova + ResponseOffset, room, Writable: true);
        _ = length == 0 ? queue.Add(response) : room == 0 ? queue.Add(request) : queue.Add(request, response);
        _driver.Kick(queue);
    }

    private uint Submit(int index, uint length, uint room)
    {
        FakeQueue queue = _queues[index];
        ushort used = queue.UsedIndex;
        Offer(queue, length, room);
        return Await(queue, used);
    }

    private uint Await(FakeQueue queue, ushort used)
    {
        while (queue.UsedIndex == used)
        {
            _ = _driver.WaitEvent(VectorOf(queue));
        }

        ResponseLength = queue.UsedEntry(used).Written;
        return ResponseLength >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Response) : 0;
    }
}
