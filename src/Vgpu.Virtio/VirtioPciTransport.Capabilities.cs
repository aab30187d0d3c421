// The capabilities of a virtio PCI function, and the window in config space that one of them is. virtio 1.2, 4.1.4.
using System.Buffers.Binary;
using Vgpu.Pci;

namespace Vgpu.Virtio;

public sealed partial class VirtioPciTransport
{
    // Of virtio_pci_cfg_cap the driver writes bar, offset, length and pci_cfg_data.
    private const int WindowBar = 4;
    private const int WindowOffset = 8;
    private const int WindowLength = 12;
    private const int WindowData = 16;

    private readonly int _window;

    private static ReadOnlySpan<byte> WindowWritable =>
        [0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    protected override void OnConfigRead(int offset, int length)
    {
        if (IsWindow(offset, length, out uint at, out int width))
        {
            Span<byte> data = stackalloc byte[4];
            data.Clear();
            ((IMmioHandler)this).Read(at, data[..width]);
            SetConfig(_window + WindowData, BinaryPrimitives.ReadUInt32LittleEndian(data));
        }
    }

    protected override void OnConfigWritten(int offset, int length)
    {
        if (IsWindow(offset, length, out uint at, out int width))
        {
            Span<byte> data = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(data, GetConfig(_window + WindowData));
            ((IMmioHandler)this).Write(at, data[..width]);
        }
    }

    /// <summary>struct virtio_pci_cap (virtio 1.2, 4.1.4), and virtio_pci_notify_cap or virtio_pci_cfg_cap where there are four bytes more.</summary>
    private int AddArea(byte type, uint offset, uint length, uint? multiplier = null, ReadOnlySpan<byte> writable = default)
    {
        Span<byte> body = stackalloc byte[multiplier is null ? 14 : 18];
        body.Clear();
        body[0] = (byte)(body.Length + 2);
        body[1] = type;
        body[2] = RegisterBar;
        BinaryPrimitives.WriteUInt32LittleEndian(body[6..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(body[10..], length);
        if (multiplier is { } value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(body[14..], value);
        }

        return AddCapability(PciRegisters.PCI_CAP_ID_VNDR, body, writable);
    }

    /// <summary>
    /// Whether an access to config space touches pci_cfg_data while the window lies on a register: access to the BAR for
    /// who can't reach it, such as firmware (virtio 1.2, 4.1.4.9).
    /// </summary>
    private bool IsWindow(int offset, int length, out uint at, out int width)
    {
        at = 0;
        width = 0;
        int data = _window + WindowData;
        if (offset >= data + 4 || offset + length <= data || (byte)GetConfig(_window + WindowBar) != RegisterBar)
        {
            return false;
        }

        at = GetConfig(_window + WindowOffset);
        uint size = GetConfig(_window + WindowLength);
        width = (int)size;
        return size is 1 or 2 or 4 && at % size == 0 && at < RegisterBarSize;
    }
}
