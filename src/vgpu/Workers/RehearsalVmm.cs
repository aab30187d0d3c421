using System.Buffers.Binary;
using System.Globalization;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Vfio.VfioIrqSetFlags;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Cli.Workers;

/// <summary>A VMM in the same process, whose guest shows a small picture and draws on it.</summary>
internal sealed class RehearsalVmm : IDisposable
{
    private const ulong Memory = 1UL << 20;
    private const ulong Table = 0x1000;
    private const ulong Available = 0x2000;
    private const ulong Used = 0x3000;
    private const ulong Request = 0x4000;
    private const ulong Response = 0x5000;
    private const uint Pixels = 0x1_0000;
    private const uint Side = 64;
    private const uint PixelBytes = Side * Side * 4;
    private const ushort QueueSize = 16;
    private const int HeaderLength = 24;
    private const int Patience = 1000;
    private const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;
    private const int Intx = VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX;

    // Virtio 1.2, 5.7.6.7.
    private const uint VIRTIO_GPU_CMD_GET_DISPLAY_INFO = 0x0100;
    private const uint VIRTIO_GPU_CMD_RESOURCE_CREATE_2D = 0x0101;
    private const uint VIRTIO_GPU_CMD_SET_SCANOUT = 0x0103;
    private const uint VIRTIO_GPU_CMD_RESOURCE_FLUSH = 0x0104;
    private const uint VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D = 0x0105;
    private const uint VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING = 0x0106;
    private const uint VIRTIO_GPU_RESP_ERR_UNSPEC = 0x1200;
    private const uint VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM = 2;
    private const uint Resource = 1;

    // QEMU's docs/specs/standard-vga: the registers of a bochs-display from XRES on, and what turns it on.
    private const int DispiBar = 2;
    private const ulong DispiResolution = 0x502;
    private static readonly ushort[] s_dispiMode = [640, 480, 32, 0x41];

    private readonly VfioUserClient _client;
    private readonly FileDescriptor _file = MemFd.Create("rehearsal", Memory);
    private readonly MemoryMapping _memory;
    private readonly EventFd _interrupt = EventFd.Create();
    private readonly EventFd _unmask = EventFd.Create();
    private readonly (int Bar, uint Offset)[] _areas = new (int, uint)[VIRTIO_PCI_CAP_PCI_CFG + 1];
    private ushort _made;

    /// <summary>Takes the connection over.</summary>
    internal RehearsalVmm(VfioUserClient client)
    {
        _client = client;
        _memory = MemoryMapping.Share(_file, 0, Memory, MemoryProtection.Write);
    }

    /// <summary>Everything once, up to a picture on the screen.</summary>
    internal void Begin()
    {
        _client.Negotiate();
        var info = _client.GetDeviceInfo();
        for (int region = 0; region < info.RegionCount; region++)
        {
            _client.GetRegionInfo(region).File?.Dispose();
        }

        // Two maps of one file, as of a guest whose memory has a hole.
        _client.DmaMap(0, Memory, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, _file);
        _client.DmaMap(4 * Memory, Memory, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, _file);
        if (_client.GetIrqInfo(Intx).Count > 0)
        {
            _client.SetIrqs(Intx, 0, 1, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, default, _interrupt.Descriptor);
            _client.SetIrqs(Intx, 0, 1, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, default, _unmask.Descriptor);
        }

        _client.Reset();
        _client.RegionWrite<ushort>(Config, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        for (byte at = Read8(PCI_CAPABILITY_LIST); at != 0; at = Read8(at + 1))
        {
            if (Read8(at) == PCI_CAP_ID_VNDR && Read8(at + 3) is var area && area < _areas.Length)
            {
                _areas[area] = (Read8(at + 4), _client.RegionRead<uint>(Config, at + 8UL));
            }
        }

        if (!IsVirtio)
        {
            for (int i = 0; i < s_dispiMode.Length; i++)
            {
                _client.RegionWrite(DispiBar, DispiResolution + (2UL * (ulong)i), s_dispiMode[i]);
            }

            return;
        }

        SetUp();
        Do(VIRTIO_GPU_CMD_GET_DISPLAY_INFO);
        Do(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, Resource, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, Side, Side);
        Do(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, Resource, 2, Pixels, 0, PixelBytes / 2, 0, Pixels + PixelBytes, 0, PixelBytes / 2, 0);
        Do(VIRTIO_GPU_CMD_SET_SCANOUT, 0, 0, Side, Side, 0, Resource);
    }

    /// <summary>What a guest does for a picture; a register where there is no queue.</summary>
    internal void Draw()
    {
        _ = _client.RegionRead<uint>(Config, 0);
        if (IsVirtio)
        {
            Do(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 0, 0, Side, Side, 0, 0, Resource, 0);
            Do(VIRTIO_GPU_CMD_RESOURCE_FLUSH, 0, 0, Side, Side, Resource, 0);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _interrupt.Dispose();
        _unmask.Dispose();
        _memory.Dispose();
        _file.Dispose();
    }

    private bool IsVirtio => _areas[VIRTIO_PCI_CAP_COMMON_CFG].Offset != 0 || _areas[VIRTIO_PCI_CAP_NOTIFY_CFG].Offset != 0;

    // One command, answered; its interrupt is let through again by the one way and the other.
    private void Do(uint command, params ReadOnlySpan<uint> words)
    {
        Span<byte> memory = _memory.Span;
        int length = HeaderLength + (4 * words.Length);
        Span<byte> request = memory.Slice((int)Request, length);
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, command);
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(request[(HeaderLength + (4 * i))..], words[i]);
        }

        Describe(memory, 0, Request, (uint)length, Virtio.VirtioRing.VRING_DESC_F_NEXT, 1);
        Describe(memory, 1, Response, 512, Virtio.VirtioRing.VRING_DESC_F_WRITE, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[((int)Available + 4 + (2 * (_made % QueueSize)))..], 0);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[((int)Available + 2)..], ++_made);
        (int bar, uint offset) = _areas[VIRTIO_PCI_CAP_NOTIFY_CFG];
        _client.RegionWrite<ushort>(bar, offset, 0);
        if (!WaitForAnswer(memory))
        {
            return;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(memory[(int)Response..]) is >= VIRTIO_GPU_RESP_ERR_UNSPEC and var answer)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"the rehearsal's command 0x{command:x} was answered with 0x{answer:x}"));
        }
    }

    // An interrupt may be of the command before.
    private bool WaitForAnswer(ReadOnlySpan<byte> memory)
    {
        do
        {
            if (!_interrupt.Wait(Patience))
            {
                return false;
            }

            _ = _interrupt.Take();
            (int bar, uint offset) = _areas[VIRTIO_PCI_CAP_ISR_CFG];
            _ = _client.RegionRead<byte>(bar, offset);
            if (_made % 2 == 0)
            {
                _unmask.Signal();
            }
            else
            {
                _client.SetIrqs(Intx, 0, 1, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK);
            }
        }
        while (BinaryPrimitives.ReadUInt16LittleEndian(memory[((int)Used + 2)..]) != _made);
        return true;
    }

    private void SetUp()
    {
        const byte Found = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
        Write<byte>(VIRTIO_PCI_COMMON_STATUS, Found);
        Write<uint>(VIRTIO_PCI_COMMON_GFSELECT, 1);
        Write(VIRTIO_PCI_COMMON_GF, (uint)(Virtio.VirtioFeatures.VIRTIO_F_VERSION_1 >> 32));
        Write<byte>(VIRTIO_PCI_COMMON_STATUS, Found | VIRTIO_CONFIG_S_FEATURES_OK);
        Write<ushort>(VIRTIO_PCI_COMMON_Q_SELECT, 0);
        Write(VIRTIO_PCI_COMMON_Q_SIZE, QueueSize);
        Write(VIRTIO_PCI_COMMON_Q_DESCLO, (uint)Table);
        Write(VIRTIO_PCI_COMMON_Q_AVAILLO, (uint)Available);
        Write(VIRTIO_PCI_COMMON_Q_USEDLO, (uint)Used);
        Write<ushort>(VIRTIO_PCI_COMMON_Q_ENABLE, 1);
        Write<byte>(VIRTIO_PCI_COMMON_STATUS, Found | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
    }

    private static void Describe(Span<byte> memory, int index, ulong address, uint length, ushort flags, ushort next)
    {
        Span<byte> descriptor = memory.Slice((int)Table + (16 * index), 16);
        BinaryPrimitives.WriteUInt64LittleEndian(descriptor, address);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor[8..], length);
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor[14..], next);
    }

    private byte Read8(int offset) => _client.RegionRead<byte>(Config, (ulong)offset);

    private void Write<T>(int register, T value)
        where T : unmanaged
    {
        (int bar, uint offset) = _areas[VIRTIO_PCI_CAP_COMMON_CFG];
        _client.RegionWrite(bar, offset + (ulong)register, value);
    }
}
