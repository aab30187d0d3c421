// What the guest reads of the devices: as QEMU 10's hw/input/virtio-input-hid.c has it for its own.
using Vgpu.Linux;
using Vgpu.Vfio;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;
using static Vgpu.Vendors.VirtioInput.VirtioInputConstants;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class ConfigTests
{
    private const int Pci = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;

    [Theory]
    [InlineData(VirtioInputKind.Keyboard, 0x0900)]
    [InlineData(VirtioInputKind.Tablet, 0x0980)]
    [InlineData(VirtioInputKind.Touch, 0x0980)]
    public void On_PCI_it_is_a_modern_virtio_input(VirtioInputKind kind, int subclass)
    {
        using var guest = new InputGuest(kind);
        Assert.Equal(0x1052_1af4u, guest.Driver.Read32(Pci, 0));
        Assert.Equal((uint)subclass << 16 | 1, guest.Driver.Read32(Pci, 8));
        Assert.Equal(0x1100_1af4u, guest.Driver.Read32(Pci, 0x2c));
        Assert.Equal(1, guest.Driver.Read8(Pci, 0x3d));
        Assert.Equal(1u, guest.Function.Irqs[VfioPciIrqs.VFIO_PCI_INTX_IRQ_INDEX].Count);
        using var msix = new InputGuest(kind, msix: true);
        Assert.Equal(3u, msix.Function.Irqs[VfioPciIrqs.VFIO_PCI_MSIX_IRQ_INDEX].Count);
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard, "vgpu keyboard", 1, 1)]
    [InlineData(VirtioInputKind.Tablet, "vgpu tablet", 3, 2)]
    [InlineData(VirtioInputKind.Touch, "vgpu touch screen", 3, 1)]
    public void It_says_who_it_is(VirtioInputKind kind, string name, byte product, byte version)
    {
        using var guest = new InputGuest(kind);
        Assert.Equal(name, System.Text.Encoding.UTF8.GetString(guest.ReadConfig(VIRTIO_INPUT_CFG_ID_NAME)));
        Assert.Equal("desk"u8.ToArray(), guest.ReadConfig(VIRTIO_INPUT_CFG_ID_SERIAL));
        Assert.Equal([6, 0, 0x27, 6, product, 0, version, 0], guest.ReadConfig(VIRTIO_INPUT_CFG_ID_DEVIDS));
        Assert.Equal(kind == VirtioInputKind.Touch ? [2] : [], guest.ReadConfig(VIRTIO_INPUT_CFG_PROP_BITS));
    }

    [Fact]
    public void A_keyboard_has_keys_lights_and_the_guest_s_own_repeat()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard);
        int[] keys = Codes(guest, EV_KEY);
        Assert.Equal(Enumerable.Range(1, 248), keys);
        Assert.Equal([0, 1, 2], Codes(guest, EV_LED));
        Assert.Equal([0], guest.ReadConfig(VIRTIO_INPUT_CFG_EV_BITS, (byte)EV_REP));
        AssertNoOther(guest, EV_KEY, EV_LED, EV_REP);
    }

    [Fact]
    public void A_tablet_has_a_place_buttons_and_fine_wheels()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet);
        Assert.Equal([.. Enumerable.Range(BTN_LEFT, 8)], Codes(guest, EV_KEY));
        Assert.Equal([REL_HWHEEL, REL_WHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES], Codes(guest, EV_REL));
        Assert.Equal([ABS_X, ABS_Y], Codes(guest, EV_ABS));
        Assert.Equal([0, 32767, 0, 0, 0], AbsInfo(guest, ABS_X));
        Assert.Equal([0, 32767, 0, 0, 0], AbsInfo(guest, ABS_Y));
        AssertNoOther(guest, EV_KEY, EV_REL, EV_ABS);
    }

    [Fact]
    public void A_touch_screen_has_ten_slots_and_the_pointer_that_goes_with_them()
    {
        using var guest = new InputGuest(VirtioInputKind.Touch);
        Assert.Equal([BTN_TOUCH], Codes(guest, EV_KEY));
        Assert.Equal([ABS_X, ABS_Y, ABS_MT_SLOT, ABS_MT_POSITION_X, ABS_MT_POSITION_Y, ABS_MT_TRACKING_ID], Codes(guest, EV_ABS));
        Assert.Equal([0, 9, 0, 0, 0], AbsInfo(guest, ABS_MT_SLOT));
        Assert.Equal([0, 65535, 0, 0, 0], AbsInfo(guest, ABS_MT_TRACKING_ID));
        Assert.Equal([0, 32767, 0, 0, 0], AbsInfo(guest, ABS_MT_POSITION_X));
        Assert.Equal([0, 32767, 0, 0, 0], AbsInfo(guest, ABS_Y));
        AssertNoOther(guest, EV_KEY, EV_ABS);
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard)]
    [InlineData(VirtioInputKind.Tablet)]
    [InlineData(VirtioInputKind.Touch)]
    public void What_it_does_not_have_is_of_no_size(VirtioInputKind kind)
    {
        using var guest = new InputGuest(kind);
        byte[] known = [VIRTIO_INPUT_CFG_ID_NAME, VIRTIO_INPUT_CFG_ID_SERIAL, VIRTIO_INPUT_CFG_ID_DEVIDS, VIRTIO_INPUT_CFG_PROP_BITS, VIRTIO_INPUT_CFG_EV_BITS, VIRTIO_INPUT_CFG_ABS_INFO];
        var description = InputDescription.Of(kind, "desk");
        byte[] union = new byte[InputDescription.UnionLength];
        for (int select = 0; select < 256; select++)
        {
            for (int subselect = 0; subselect < 256; subselect++)
            {
                int size = description.Read((byte)select, (byte)subselect, union);
                Assert.True(size == 0 || known.Contains((byte)select), $"{select}, {subselect}");
                Assert.True(size <= 1 || subselect == 0 || select >= VIRTIO_INPUT_CFG_EV_BITS, $"{select}, {subselect}");
            }
        }

        Assert.Empty(guest.ReadConfig(0));
        Assert.Empty(guest.ReadConfig(VIRTIO_INPUT_CFG_ABS_INFO, 0x3f));
        Assert.Empty(guest.ReadConfig(VIRTIO_INPUT_CFG_EV_BITS, 0xff));
        Assert.Empty(guest.ReadConfig(0xff, 0xff));
    }

    [Fact]
    public void Only_the_selects_take_a_write_and_beyond_the_structure_there_is_nothing()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard);
        byte[] name = guest.ReadConfig(VIRTIO_INPUT_CFG_ID_NAME);
        for (int offset = 2; offset < 0x200; offset++)
        {
            guest.Driver.Write8(0, InputGuest.Config + offset, 0xff);
        }

        Assert.Equal(name, guest.ReadConfig(VIRTIO_INPUT_CFG_ID_NAME));
        byte[] all = new byte[0x200];
        Assert.Equal(Errno.None, guest.Function.ReadRegion(0, InputGuest.Config, all));
        Assert.Equal([VIRTIO_INPUT_CFG_ID_NAME, 0, (byte)name.Length, 0, 0, 0, 0, 0, .. name], all[..(8 + name.Length)]);
        Assert.All(all[(8 + name.Length)..], left => Assert.Equal(0, left));
        Assert.Equal(Errno.None, guest.Function.WriteRegion(0, InputGuest.Config, [VIRTIO_INPUT_CFG_EV_BITS, (byte)EV_LED, 7, 7]));
        Assert.Equal((ushort)((EV_LED << 8) | VIRTIO_INPUT_CFG_EV_BITS), guest.Driver.Read16(0, InputGuest.Config));
        Assert.Equal((1, 7), (guest.Driver.Read8(0, InputGuest.Config + 2), guest.Driver.Read8(0, InputGuest.Config + 8)));
        guest.Driver.Reset();
        Assert.Equal(0u, guest.Driver.Read32(0, InputGuest.Config));
    }

    [Fact]
    public void A_long_serial_ends_at_a_character()
    {
        var description = InputDescription.Of(VirtioInputKind.Tablet, new string('x', 127) + "é");
        byte[] union = new byte[InputDescription.UnionLength];
        Assert.Equal(127, description.Read(VIRTIO_INPUT_CFG_ID_SERIAL, 0, union));
    }

    private static int[] Codes(InputGuest guest, ushort type)
    {
        byte[] bits = guest.ReadConfig(VIRTIO_INPUT_CFG_EV_BITS, (byte)type);
        Assert.NotEqual(0, bits[^1]);
        return [.. Enumerable.Range(0, bits.Length * 8).Where(code => (bits[code / 8] & (1 << (code % 8))) != 0)];
    }

    private static int[] AbsInfo(InputGuest guest, ushort axis) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(guest.ReadConfig(VIRTIO_INPUT_CFG_ABS_INFO, (byte)axis)).ToArray();

    private static void AssertNoOther(InputGuest guest, params ushort[] types)
    {
        for (int type = 0; type < 256; type++)
        {
            Assert.Equal(types.Contains((ushort)type), guest.ReadConfig(VIRTIO_INPUT_CFG_EV_BITS, (byte)type).Length != 0);
        }
    }
}
