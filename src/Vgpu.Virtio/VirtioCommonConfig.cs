// The common configuration structure: feature and queue set-up, device status. virtio 1.2, 4.1.4.3; 2.1 (status),
// 3.1 (initialization). linux/virtio_pci.h, struct virtio_pci_common_cfg.
using System.Buffers.Binary;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioPci;
using static Vgpu.Virtio.VirtioStatus;

namespace Vgpu.Virtio;

/// <summary>What a driver's writes to the common configuration bring about. Device lock held.</summary>
internal interface IVirtioCommonConfigOwner
{
    /// <summary>MSI-X vectors; 0 without MSI-X.</summary>
    int Vectors { get; }

    /// <summary>The driver wrote 0 to the status.</summary>
    void ResetByDriver();

    /// <summary>The driver has set DRIVER_OK.</summary>
    void DriverReady(ulong features);

    /// <summary>A queue was enabled after DRIVER_OK.</summary>
    void QueueReady(Virtqueue queue);
}

/// <summary>
/// The registers, as a driver sees them at whatever width it reads; a write that does not cover a register whole is
/// ignored. Every member with the device's lock held. Allocates nothing.
/// </summary>
internal sealed partial class VirtioCommonConfig(IVirtioCommonConfigOwner owner, ulong offered, Virtqueue[] queues)
{
    /// <summary>Bytes of the structure; beyond them it reads as zero.</summary>
    public const int Length = 56;

    private uint _deviceFeatureSelect;
    private uint _driverFeatureSelect;
    private ushort _queueSelect;

    /// <summary>Device status (virtio 1.2, 2.1).</summary>
    public byte Status { get; private set; }

    /// <summary>What the driver accepted; final once FEATURES_OK is set.</summary>
    public ulong DriverFeatures { get; private set; }

    public byte Generation { get; set; }

    /// <summary>The vector of configuration changes.</summary>
    public ushort ConfigVector { get; private set; } = VIRTIO_MSI_NO_VECTOR;

    public bool IsDriverReady => (Status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;

    public bool IsBroken => (Status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;

    public void SetNeedsReset() => Status |= VIRTIO_CONFIG_S_NEEDS_RESET;

    public void Reset()
    {
        Status = 0;
        DriverFeatures = 0;
        ConfigVector = VIRTIO_MSI_NO_VECTOR;
        _deviceFeatureSelect = 0;
        _driverFeatureSelect = 0;
        _queueSelect = 0;
    }

    public void Read(int offset, Span<byte> data)
    {
        Span<byte> register = stackalloc byte[4];
        while (!data.IsEmpty)
        {
            if (offset >= Length)
            {
                data.Clear();
                return;
            }

            (int start, int width) = RegisterAt(offset);
            BinaryPrimitives.WriteUInt32LittleEndian(register, Get(start));
            ReadOnlySpan<byte> part = register[(offset - start)..width];
            part = part[..Math.Min(part.Length, data.Length)];
            part.CopyTo(data);
            data = data[part.Length..];
            offset += part.Length;
        }
    }

    public void Write(int offset, ReadOnlySpan<byte> data)
    {
        Span<byte> register = stackalloc byte[4];
        while (!data.IsEmpty && offset < Length)
        {
            (int start, int width) = RegisterAt(offset);
            int length = Math.Min(start + width - offset, data.Length);
            if (length == width)
            {
                register.Clear();
                data[..width].CopyTo(register);
                Set(start, BinaryPrimitives.ReadUInt32LittleEndian(register));
            }

            data = data[length..];
            offset += length;
        }
    }

    private static (int Start, int Width) RegisterAt(int offset) => offset switch
    {
        < VIRTIO_PCI_COMMON_MSIX => (offset & ~3, 4),
        VIRTIO_PCI_COMMON_STATUS or VIRTIO_PCI_COMMON_CFGGENERATION => (offset, 1),
        < VIRTIO_PCI_COMMON_Q_DESCLO => (offset & ~1, 2),
        _ => (offset & ~3, 4),
    };

    private uint Get(int register)
    {
        Virtqueue? queue = _queueSelect < queues.Length ? queues[_queueSelect] : null;
        return register switch
        {
            VIRTIO_PCI_COMMON_DFSELECT => _deviceFeatureSelect,
            VIRTIO_PCI_COMMON_DF => Half(offered, _deviceFeatureSelect),
            VIRTIO_PCI_COMMON_GFSELECT => _driverFeatureSelect,
            VIRTIO_PCI_COMMON_GF => Half(DriverFeatures, _driverFeatureSelect),
            VIRTIO_PCI_COMMON_MSIX => ConfigVector,
            VIRTIO_PCI_COMMON_NUMQ => (uint)queues.Length,
            VIRTIO_PCI_COMMON_STATUS => Status,
            VIRTIO_PCI_COMMON_CFGGENERATION => Generation,
            VIRTIO_PCI_COMMON_Q_SELECT => _queueSelect,
            VIRTIO_PCI_COMMON_Q_MSIX when queue is null => VIRTIO_MSI_NO_VECTOR,
            _ when queue is null => 0,
            VIRTIO_PCI_COMMON_Q_SIZE => queue.Size,
            VIRTIO_PCI_COMMON_Q_MSIX => queue.Vector,
            VIRTIO_PCI_COMMON_Q_ENABLE => queue.Enabled ? 1u : 0,
            VIRTIO_PCI_COMMON_Q_NOFF => (uint)queue.Index,
            VIRTIO_PCI_COMMON_Q_DESCLO => (uint)queue.DescriptorArea,
            VIRTIO_PCI_COMMON_Q_DESCHI => (uint)(queue.DescriptorArea >> 32),
            VIRTIO_PCI_COMMON_Q_AVAILLO => (uint)queue.DriverArea,
            VIRTIO_PCI_COMMON_Q_AVAILHI => (uint)(queue.DriverArea >> 32),
            VIRTIO_PCI_COMMON_Q_USEDLO => (uint)queue.DeviceArea,
            VIRTIO_PCI_COMMON_Q_USEDHI => (uint)(queue.DeviceArea >> 32),
            _ => 0,
        };
    }

    private void Set(int register, uint value)
    {
        switch (register)
        {
            case VIRTIO_PCI_COMMON_DFSELECT:
                _deviceFeatureSelect = value;
                break;
            case VIRTIO_PCI_COMMON_GFSELECT:
                _driverFeatureSelect = value;
                break;
            case VIRTIO_PCI_COMMON_GF when _driverFeatureSelect < 2 && (Status & VIRTIO_CONFIG_S_FEATURES_OK) == 0:
                int shift = (int)_driverFeatureSelect * 32;
                DriverFeatures = (DriverFeatures & ~((ulong)uint.MaxValue << shift)) | ((ulong)value << shift);
                break;
            case VIRTIO_PCI_COMMON_MSIX:
                ConfigVector = Vector(value);
                break;
            case VIRTIO_PCI_COMMON_STATUS:
                SetStatus((byte)value);
                break;
            case VIRTIO_PCI_COMMON_Q_SELECT:
                _queueSelect = (ushort)value;
                break;
            case >= VIRTIO_PCI_COMMON_Q_SIZE when _queueSelect < queues.Length:
                SetQueue(queues[_queueSelect], register, value);
                break;
        }
    }

    private void SetStatus(byte value)
    {
        if (value == 0)
        {
            owner.ResetByDriver();
            return;
        }

        // The driver must not clear a bit, and NEEDS_RESET is the device's.
        byte added = (byte)(value & ~Status & ~VIRTIO_CONFIG_S_NEEDS_RESET);
        if ((added & VIRTIO_CONFIG_S_FEATURES_OK) != 0 && !AreAcceptable(DriverFeatures))
        {
            added &= unchecked((byte)~VIRTIO_CONFIG_S_FEATURES_OK);
        }

        if (((Status | added) & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
        {
            added &= unchecked((byte)~VIRTIO_CONFIG_S_DRIVER_OK);
        }

        Status |= added;
        if ((added & VIRTIO_CONFIG_S_DRIVER_OK) != 0)
        {
            owner.DriverReady(DriverFeatures);
        }
    }

    private bool AreAcceptable(ulong features) => (features & ~offered) == 0 && (features & VIRTIO_F_VERSION_1) != 0;

    /// <summary>Nothing of an enabled queue but its vector changes until a reset (virtio 1.2, 4.1.4.3.2).</summary>
    private void SetQueue(Virtqueue queue, int register, uint value)
    {
        if (register == VIRTIO_PCI_COMMON_Q_MSIX)
        {
            queue.Vector = Vector(value);
            return;
        }

        if (queue.Enabled)
        {
            return;
        }

        switch (register)
        {
            case VIRTIO_PCI_COMMON_Q_SIZE when value != 0 && value <= queue.MaxSize && (value & (value - 1)) == 0:
                queue.Size = (ushort)value;
                break;
            case VIRTIO_PCI_COMMON_Q_ENABLE when value == 1:
                queue.Enable();
                if (queue.Enabled && IsDriverReady)
                {
                    owner.QueueReady(queue);
                }

                break;
            case VIRTIO_PCI_COMMON_Q_DESCLO:
                queue.DescriptorArea = Low(queue.DescriptorArea, value);
                break;
            case VIRTIO_PCI_COMMON_Q_DESCHI:
                queue.DescriptorArea = High(queue.DescriptorArea, value);
                break;
            case VIRTIO_PCI_COMMON_Q_AVAILLO:
                queue.DriverArea = Low(queue.DriverArea, value);
                break;
            case VIRTIO_PCI_COMMON_Q_AVAILHI:
                queue.DriverArea = High(queue.DriverArea, value);
                break;
            case VIRTIO_PCI_COMMON_Q_USEDLO:
                queue.DeviceArea = Low(queue.DeviceArea, value);
                break;
            case VIRTIO_PCI_COMMON_Q_USEDHI:
                queue.DeviceArea = High(queue.DeviceArea, value);
                break;
        }
    }

    private ushort Vector(uint value) => value < owner.Vectors ? (ushort)value : VIRTIO_MSI_NO_VECTOR;

    private static uint Half(ulong features, uint select) => select switch
    {
        0 => (uint)features,
        1 => (uint)(features >> 32),
        _ => 0,
    };

    private static ulong Low(ulong area, uint value) => (area & 0xffffffff00000000) | value;

    private static ulong High(ulong area, uint value) => (area & uint.MaxValue) | ((ulong)value << 32);
}
