using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Host.Software;
using Vgpu.Linux;
using Vgpu.Pci;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vendors.VirtioGpu;
using Vgpu.Virtio;
using static Vgpu.Virtio.VirtioPci;

namespace Vgpu.Fuzz.Targets;

/// <summary>
/// All that a guest does to a virtio GPU, as steps: a byte that says which, then what the step needs. Commands in one
/// piece or in any descriptors, registers of any region, memory, resets.
/// </summary>
internal sealed class GpuTarget : IFuzzTarget
{
    private const int MostSteps = 64;
    private const int LongestCommand = 1024;
    private const int Heads = 2;
    private const ulong Limit = 1 << 20;
    private const ulong AllFeatures = 0b1110;
    private const ulong Arena = 1 << 16;
    private const int Patience = 10_000;

    private readonly FakeGuest _guest = new();
    private readonly VirtioGpuDevice _device;
    private readonly VirtioPciTransport _function;
    private readonly FakeDriver _driver;
    private readonly FakeQueue[] _queues;
    private readonly PollSet _interrupts = new();
    private readonly ulong _request;
    private readonly ulong _response;
    private readonly ulong _arena;
    private bool _isTampered;

    internal GpuTarget()
    {
        _device = new VirtioGpuDevice(new Screen(Heads, new DisplayMode(640, 480)), new SoftwareRenderer(), Limit, guestBlobs: true);
        _function = new VirtioPciTransport(_guest.Iommu, _device, PciInterruptMode.Msix, NullLogger.Instance);
        _driver = new FakeDriver(_function, msix: true);
        _queues = [new FakeQueue(_guest, 0, 16), new FakeQueue(_guest, 1, 16)];
        _request = _guest.Allocate(4096);
        _response = _guest.Allocate(4096);
        _arena = _guest.Allocate((int)Arena);
    }

    public string Name => "virtio-gpu";

    public IEnumerable<byte[]> Seeds => GpuSeeds.All(_arena);

    public void Run(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        _guest.At(_request, 8192 + (int)Arena).Clear();
        Start();
        var reader = new InputReader(input);
        for (int step = 0; step < MostSteps && !reader.IsEnd; step++)
        {
            Step(ref reader);
            FindingException.Require(_device.VideoMemoryUsed <= Limit, "the guest holds more than it may");
        }

        _function.Reset();
        FindingException.Require((_device.VideoMemoryUsed, _device.ResourceCount) == (0, 0), "a reset leaves resources");
        FindingException.Require(GC.GetTotalAllocatedBytes() - allocated < 256 << 20, "it allocates without end");

        // Whatever the guest did, it can start again and is answered.
        Start();
        Send(_queues[0], [0x00, 0x01, .. new byte[22]], 4096);
        FindingException.Require(_guest.Get32(_response) == 0x1101, "the device does not work after a reset");
        _function.Reset();
    }

    public void Dispose()
    {
        _function.Dispose();
        _driver.Dispose();
        _guest.Dispose();
    }

    private void Step(ref InputReader reader)
    {
        byte kind = reader.Byte();
        FakeQueue queue = _queues[(kind >> 7) & 1];
        switch (kind & 7)
        {
            case 0 or 1 or 2:
                ushort length = reader.UInt16();
                Send(queue, reader.Bytes(Math.Min(length & 0x7ff, LongestCommand)), (kind & 0x40) != 0 ? (uint)(length >> 11) * 8 : 4096);
                break;
            case 3:
                Chain(queue, ref reader);
                break;
            case 4:
                ulong at = _arena + (reader.UInt16() & (Arena - 1));
                ReadOnlySpan<byte> bytes = reader.Bytes(reader.Byte());
                bytes[..(int)Math.Min((ulong)bytes.Length, _arena + Arena - at)].CopyTo(_guest.At(at, (int)Math.Min((ulong)bytes.Length, _arena + Arena - at)));
                break;
            case 5:
                Access(reader.Byte(), reader.UInt16(), reader.UInt32(), write: (kind & 8) != 0, width: 1 << ((kind >> 4) & 3));
                break;
            case 6:
                _driver.TurnOn();
                _isTampered |= !_driver.Negotiate(reader.Byte() | VirtioFeatures.VIRTIO_F_VERSION_1);
                SetUp();
                break;
            default:
                Start();
                break;
        }
    }

    private void Start()
    {
        _function.Reset();
        _driver.TurnOn();
        FindingException.Require(_driver.Negotiate(AllFeatures | VirtioFeatures.VIRTIO_F_VERSION_1), "the device does not take its own features");
        _isTampered = false;
        SetUp();
    }

    private void SetUp()
    {
        _driver.Write16(0, _driver.Common(VIRTIO_PCI_COMMON_MSIX), 0);
        foreach (FakeQueue queue in _queues)
        {
            _driver.Setup(queue, (ushort)(queue.Index + 1));
        }

        foreach (EventFd interrupt in _driver.Events)
        {
            _ = interrupt.Take();
        }

        _driver.Ready();
    }

    // As a driver sends it: the command in one descriptor, room for the response in another.
    private void Send(FakeQueue queue, ReadOnlySpan<byte> command, uint room)
    {
        command.CopyTo(_guest.At(_request, command.Length));
        var request = new GuestBuffer(_request, (uint)command.Length);
        var response = new GuestBuffer(_response, room, Writable: true);
        ushort before = queue.UsedIndex;
        if (command.Length == 0 && room == 0)
        {
            return;
        }

        _ = command.Length == 0 ? queue.Add(response) : room == 0 ? queue.Add(request) : queue.Add(request, response);
        KickAndWait(queue, before);
    }

    // Descriptors as they come: any address near the arena or anywhere, any length, flag and next one.
    private void Chain(FakeQueue queue, ref InputReader reader)
    {
        ushort before = queue.UsedIndex;
        int count = 1 + (reader.Byte() & 7);
        for (int i = 0; i < count; i++)
        {
            byte shape = reader.Byte();
            ulong address = (shape & 0x80) != 0 ? reader.UInt64() : _arena + reader.UInt16();
            uint length = (shape & 0x40) != 0 ? reader.UInt32() : reader.Byte();
            queue.Set(reader.Byte() & 15, address, length, shape & 7, (shape & 0x20) != 0 ? reader.UInt16() : reader.Byte() & 15);
        }

        queue.Offer((ushort)(reader.Byte() & 31));
        KickAndWait(queue, before);
    }

    private void Access(byte region, ushort offset, uint value, bool write, int width)
    {
        int index = region % _function.Regions.Count;
        ulong size = _function.Regions[index].Size;
        if (size < 8)
        {
            return;
        }

        Span<byte> data = stackalloc byte[8];
        BitConverter.TryWriteBytes(data, value);
        ulong at = Math.Min(offset % size, size - (ulong)width);
        _ = write ? _function.WriteRegion(index, at, data[..width]) : _function.ReadRegion(index, at, data[..width]);
        _isTampered |= write;
    }

    // Until the chain is used or the device says that it needs a reset, where the guest has left it its registers.
    private void KickAndWait(FakeQueue queue, ushort before)
    {
        if (_isTampered)
        {
            _driver.Kick(queue);
            return;
        }

        // The worker begins only when the notification is over: one thread at a time runs.
        lock (_function.Lock)
        {
            _driver.Kick(queue);
        }

        while (queue.UsedIndex == before)
        {
            _interrupts.Clear();
            _ = _interrupts.Add(_driver.Events[0].Descriptor, PollEvents.POLLIN);
            _ = _interrupts.Add(_driver.Events[queue.Index + 1].Descriptor, PollEvents.POLLIN);
            FindingException.Require(_interrupts.Wait(Patience), "a chain is not answered");
            _ = _driver.Events[queue.Index + 1].Take();
            if (_driver.Events[0].Take() != 0 && _driver.NeedsReset)
            {
                Start();
                return;
            }
        }

        _ = _driver.Events[queue.Index + 1].Take();
    }
}
