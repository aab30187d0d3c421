// What a kind of device says of itself in its configuration (virtio 1.2, 5.8.4 and 5.8.5), and so which events it may send.
// The numbers are those of QEMU's virtio-keyboard, virtio-tablet and virtio-multitouch, so that a guest's own tables fit.
using System.Buffers.Binary;
using System.Text;
using Vgpu.Screens;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;
using static Vgpu.Vendors.VirtioInput.VirtioInputConstants;

namespace Vgpu.Vendors.VirtioInput;

/// <summary>The configuration of one device. Immutable; any thread. <see cref="Read"/> and <see cref="Has"/> allocate nothing.</summary>
internal sealed class InputDescription
{
    /// <summary>Bytes of the union that one select shows.</summary>
    internal const int UnionLength = 128;

    // The vendor of QEMU's input devices.
    private const ushort Vendor = 0x0627;
    private const int EventTypes = 0x20;

    private readonly byte[] _name;
    private readonly byte[] _serial;
    private readonly byte[] _ids = new byte[8];
    private readonly byte[][] _bits = new byte[EventTypes][];

    private InputDescription(VirtioInputKind kind, string name, string serial, ushort product, ushort version)
    {
        Kind = kind;
        _name = Cut(name);
        _serial = Cut(serial);
        ReadOnlySpan<ushort> ids = [BUS_VIRTUAL, Vendor, product, version];
        for (int i = 0; i < ids.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_ids.AsSpan(2 * i), ids[i]);
        }

        Array.Fill(_bits, []);
    }

    internal VirtioInputKind Kind { get; }

    internal static InputDescription Of(VirtioInputKind kind, string serial)
    {
        switch (kind)
        {
            case VirtioInputKind.Keyboard:
                var keyboard = new InputDescription(kind, "vgpu keyboard", serial, 1, 1);
                keyboard.Add(EV_KEY, Keys());

                // The repeat is the guest's own: this asks for it.
                keyboard._bits[EV_REP] = [0];
                keyboard.Add(EV_LED, LED_NUML, LED_CAPSL, LED_SCROLLL);
                return keyboard;
            case VirtioInputKind.Tablet:
                var tablet = new InputDescription(kind, "vgpu tablet", serial, 3, 2);
                tablet.Add(EV_KEY, BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA, BTN_FORWARD, BTN_BACK, BTN_TASK);
                tablet.Add(EV_REL, REL_WHEEL, REL_HWHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES);
                tablet.Add(EV_ABS, ABS_X, ABS_Y);
                return tablet;
            case VirtioInputKind.Touch:
                var touch = new InputDescription(kind, "vgpu touch screen", serial, 3, 1);
                touch.Add(EV_KEY, BTN_TOUCH);
                touch.Add(EV_ABS, ABS_X, ABS_Y, ABS_MT_SLOT, ABS_MT_TRACKING_ID, ABS_MT_POSITION_X, ABS_MT_POSITION_Y);
                return touch;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind));
        }
    }

    /// <summary>Whether the guest was told that there are such events.</summary>
    internal bool Has(ushort type, int code)
    {
        ReadOnlySpan<byte> bits = type < EventTypes ? _bits[type] : default;
        return code >= 0 && code / 8 < bits.Length && (bits[code / 8] & (1 << (code % 8))) != 0;
    }

    /// <summary>What the union holds for a select, and how much of it; the rest is zero. 0: there is no such thing.</summary>
    internal int Read(byte select, byte subselect, Span<byte> union)
    {
        union.Clear();
        switch (select)
        {
            case VIRTIO_INPUT_CFG_ID_NAME when subselect == 0:
                return Put(_name, union);
            case VIRTIO_INPUT_CFG_ID_SERIAL when subselect == 0:
                return Put(_serial, union);
            case VIRTIO_INPUT_CFG_ID_DEVIDS when subselect == 0:
                return Put(_ids, union);
            case VIRTIO_INPUT_CFG_PROP_BITS when subselect == 0 && Kind == VirtioInputKind.Touch:
                return Put([1 << INPUT_PROP_DIRECT], union);
            case VIRTIO_INPUT_CFG_EV_BITS when subselect < EventTypes:
                return Put(_bits[subselect], union);
            case VIRTIO_INPUT_CFG_ABS_INFO when Has(EV_ABS, subselect):
                // struct virtio_input_absinfo: min, max, fuzz, flat, res.
                BinaryPrimitives.WriteInt32LittleEndian(union[4..], MaxOf(subselect));
                return 20;
            default:
                return 0;
        }
    }

    private static int MaxOf(int axis) => axis switch
    {
        ABS_MT_SLOT => InputEvent.MaxSlots - 1,
        ABS_MT_TRACKING_ID => InputState.MaxContact,
        _ => InputEvent.MaxPlace,
    };

    // All that a keyboard's scan codes and viewers' tables lead to.
    private static ushort[] Keys() => [.. Enumerable.Range(KEY_ESC, KEY_MICMUTE).Select(key => (ushort)key)];

    private static int Put(ReadOnlySpan<byte> value, Span<byte> union)
    {
        value.CopyTo(union);
        return value.Length;
    }

    // At a character's end, so that what is left is text.
    private static byte[] Cut(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, UnionLength);
        while (length > 0 && length < bytes.Length && (bytes[length] & 0xc0) == 0x80)
        {
            length--;
        }

        return bytes[..length];
    }

    private void Add(ushort type, params ReadOnlySpan<ushort> codes)
    {
        int last = 0;
        foreach (ushort code in codes)
        {
            last = Math.Max(last, code);
        }

        var bits = new byte[(last / 8) + 1];
        foreach (ushort code in codes)
        {
            bits[code / 8] |= (byte)(1 << (code % 8));
        }

        _bits[type] = bits;
    }
}
