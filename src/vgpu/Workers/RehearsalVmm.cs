using System.Buffers.Binary;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;
using Vgpu.VfioUser;
using static Vgpu.Pci.PciRegisters;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Cli.Workers;

/// <summary>A VMM in the same process, with a guest whose driver asks for little: what both do until the guest draws.</summary>
internal sealed class RehearsalVmm : IDisposable
{
    private const ulong Memory = 1UL << 20;
    private const ulong Table = 0x1000;
    private const ulong Available = 0x2000;
    private const ulong Used = 0x3000;
    private const ulong Request = 0x4000;
    private const ulong Response = 0x5000;
    private const ushort QueueSize = 16;
    private const int Patience = 1000;
    private const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;
    private const uint VIRTIO_GPU_CMD_GET_DISPLAY_INFO = 0x0100;

    private readonly VfioUserClient _client;
    private readonly FileDescriptor _file = MemFd.Create("rehearsal", Memory);
    private readonly MemoryMapping _memory;
    private readonly EventFd _interrupt = EventFd.Create();
    private readonly (int Bar, uint Offset)[] _areas = new (int, uint)[VIRTIO_PCI_CAP_PCI_CFG + 1];
    private ushort _made;

    /// <summary>Takes the connection over.</summary>
    internal RehearsalVmm(VfioUserClient client)
    {
        _client = client;
        _memory = MemoryMapping.Share(_file, 0, Memory, MemoryProtection.Write);
    }

    /// <summary>Everything once, up to a driver that has set its queue up where there is one.</summary>
    internal void Begin()
    {
        _client.Negotiate();
        var info = _client.GetDeviceInfo();
        for (int region = 0; region < info.RegionCount; region++)
        {
            _client.GetRegionInfo(region).File?.Dispose();
        }

        _client.DmaMap(0, Memory, IommuProtection.IOMMU_READ | IommuProtection.IOMMU_WRITE, _file);
        if (_client.GetIrqInfo(VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX).Count > 0)
        {
            _client.SetIrqs(
                VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER, default, _interrupt.Descriptor);
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

        if (IsVirtio)
        {
            SetUp();
        }
    }

    /// <summary>One command, answered; a register where there is no queue.</summary>
    internal void Draw()
    {
        if (!IsVirtio)
        {
            _ = _client.RegionRead<uint>(Config, 0);
            return;
        }

        Span<byte> memory = _memory.Span;
        memory.Slice((int)Request, 24).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(memory[(int)Request..], VIRTIO_GPU_CMD_GET_DISPLAY_INFO);
        Describe(memory, 0, Request, 24, Virtio.VirtioRing.VRING_DESC_F_NEXT, 1);
        Describe(memory, 1, Response, 512, Virtio.VirtioRing.VRING_DESC_F_WRITE, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[((int)Available + 4 + (2 * (_made % QueueSize)))..], 0);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[((int)Available + 2)..], ++_made);
        (int bar, uint offset) = _areas[VIRTIO_PCI_CAP_NOTIFY_CFG];
        _client.RegionWrite<ushort>(bar, offset, 0);
        if (_interrupt.Wait(Patience))
        {
            _ = _interrupt.Take();
            (bar, offset) = _areas[VIRTIO_PCI_CAP_ISR_CFG];
            _ = _client.RegionRead<byte>(bar, offset);
            _client.SetIrqs(VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX, 0, 1, VfioIrqSetFlags.VFIO_IRQ_SET_DATA_NONE | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_UNMASK);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _interrupt.Dispose();
        _memory.Dispose();
        _file.Dispose();
    }

    private bool IsVirtio => _areas[VIRTIO_PCI_CAP_COMMON_CFG].Offset != 0 || _areas[VIRTIO_PCI_CAP_NOTIFY_CFG].Offset != 0;

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
