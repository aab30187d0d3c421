// Constants of virtio-input (virtio 1.2, 5.8) with the spelling of linux/virtio_input.h and linux/virtio_ids.h, and those of
// linux/input.h and linux/input-event-codes.h that its devices speak of.
namespace Vgpu.Vendors.VirtioInput;

/// <summary>The device's own.</summary>
public static class VirtioInputConstants
{
    public const ushort VIRTIO_ID_INPUT = 18;
    public const int EVENTQ = 0;
    public const int STATUSQ = 1;

    public const byte VIRTIO_INPUT_CFG_ID_NAME = 0x01;
    public const byte VIRTIO_INPUT_CFG_ID_SERIAL = 0x02;
    public const byte VIRTIO_INPUT_CFG_ID_DEVIDS = 0x03;
    public const byte VIRTIO_INPUT_CFG_PROP_BITS = 0x10;
    public const byte VIRTIO_INPUT_CFG_EV_BITS = 0x11;
    public const byte VIRTIO_INPUT_CFG_ABS_INFO = 0x12;

    // linux/pci_ids.h: base class and subclass, 16 bits; the transport wants the programming interface after them.
    internal const uint PCI_CLASS_INPUT_KEYBOARD = 0x0900;
    internal const uint PCI_CLASS_INPUT_OTHER = 0x0980;
}

/// <summary>Of linux/input.h and linux/input-event-codes.h.</summary>
public static class InputEventCodes
{
    public const ushort BUS_VIRTUAL = 0x06;

    public const ushort EV_SYN = 0x00;
    public const ushort EV_KEY = 0x01;
    public const ushort EV_REL = 0x02;
    public const ushort EV_ABS = 0x03;
    public const ushort EV_LED = 0x11;
    public const ushort EV_REP = 0x14;

    public const ushort SYN_REPORT = 0;

    public const ushort REL_HWHEEL = 0x06;
    public const ushort REL_WHEEL = 0x08;
    public const ushort REL_WHEEL_HI_RES = 0x0b;
    public const ushort REL_HWHEEL_HI_RES = 0x0c;

    public const ushort ABS_X = 0x00;
    public const ushort ABS_Y = 0x01;
    public const ushort ABS_MT_SLOT = 0x2f;
    public const ushort ABS_MT_POSITION_X = 0x35;
    public const ushort ABS_MT_POSITION_Y = 0x36;
    public const ushort ABS_MT_TRACKING_ID = 0x39;

    public const ushort INPUT_PROP_DIRECT = 0x01;

    public const ushort LED_NUML = 0x00;
    public const ushort LED_CAPSL = 0x01;
    public const ushort LED_SCROLLL = 0x02;

    public const ushort KEY_ESC = 1;
    public const ushort KEY_MICMUTE = 248;
    public const ushort BTN_LEFT = 0x110;
    public const ushort BTN_RIGHT = 0x111;
    public const ushort BTN_MIDDLE = 0x112;
    public const ushort BTN_SIDE = 0x113;
    public const ushort BTN_EXTRA = 0x114;
    public const ushort BTN_FORWARD = 0x115;
    public const ushort BTN_BACK = 0x116;
    public const ushort BTN_TASK = 0x117;
    public const ushort BTN_TOUCH = 0x14a;
    public const ushort BTN_GEAR_DOWN = 0x150;
    public const ushort BTN_GEAR_UP = 0x151;
}
