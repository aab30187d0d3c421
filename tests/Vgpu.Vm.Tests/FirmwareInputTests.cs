using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vendors.VirtioInput;

namespace Vgpu.Vm.Tests;

/// <summary>Keys for a guest that has no driver for the input devices yet, as firmware and boot loaders: by QMP, to QEMU's own PS/2 keyboard.</summary>
public sealed class FirmwareInputTests
{
    private const ushort KeyA = 30;

    [Fact]
    public void A_key_reaches_the_PS_2_keyboard_until_the_guest_drives_the_vgpu_s()
    {
        using var folder = new TemporaryFolder();
        string qmp = folder.File("qmp");
        using var vgpu = new ServedVgpu("virtio-gpu", qmp: qmp, input: [VirtioInputKind.Keyboard]);
        using var machine = TestMachine.BootWith([.. VgpuAttachment.Arguments(512, vgpu.Attachments), .. VgpuAttachment.Qmp(qmp)], "vgpu.shell vgpu.hold");
        machine.Shell.Run("insmod /lib/modules/evdev.ko");
        IInputSink screen = vgpu.Server.Screen.Input!;

        using (var read = new EvdevRecord(machine.Shell, EvdevRecord.NodeOf(machine.Shell, "AT Translated Set 2 keyboard")))
        {
            screen.Send([InputEvent.Key(KeyA, true)]);
            screen.Send([InputEvent.Key(KeyA, false)]);
            Eventually.Holds(() => read.Take(1).Contains("1.1e=1", StringComparison.Ordinal) && read.Take(1).Contains("1.1e=0", StringComparison.Ordinal), () => $"the key arrives; {vgpu.Log}", 60);

            machine.Shell.Run("insmod /lib/modules/virtio_input.ko; n=0; until grep -q 'vgpu keyboard' /sys/class/input/event*/device/name; do n=$((n+1)); [ $n -lt 100 ] || break; sleep 0.1; done; grep -q 'vgpu keyboard' /sys/class/input/event*/device/name");
            using var driven = new EvdevRecord(machine.Shell, EvdevRecord.NodeOf(machine.Shell, "vgpu keyboard"));
            string before = read.Take(1);
            screen.Send([InputEvent.Key(KeyA, true)]);
            screen.Send([InputEvent.Key(KeyA, false)]);
            Assert.Equal("1.1e=1 0.0=0 1.1e=0 0.0=0", driven.Take(4));
            Assert.Equal(before, read.Take(1));
        }

        Assert.DoesNotContain("do not reach the VM", vgpu.Log, StringComparison.Ordinal);
    }
}
