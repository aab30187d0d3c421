using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>What a vGPU lives through under a stock guest: driver reloads, resets, plugging and unplugging, neighbours.</summary>
public sealed class LifecycleTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_guest_unbinds_and_binds_its_driver_100_times_without_a_complaint(bool msix)
    {
        using var vgpu = new ServedVgpu("virtio-gpu", msix: msix);
        using var machine = TestMachine.Boot(vgpu.Attachment);

        machine.Shell.Run("rebind 100", timeoutSeconds: 300);

        Assert.Empty(machine.Shell.Complaints());
        AssertDraws(machine, vgpu);
    }

    [Theory]
    [InlineData("virtio-gpu")]
    [InlineData("virtio-gpu-gl")]
    [InlineData("bochs")]
    public void A_system_reset_boots_the_guest_again_on_the_same_vgpu(string type)
    {
        using var vgpu = new ServedVgpu(type);
        using var machine = TestMachine.Boot(vgpu.Attachment);
        AssertDraws(machine, vgpu);

        machine.Qemu.Qmp.Execute("system_reset");
        machine.Shell.WaitUntilReady(TimeSpan.FromSeconds(120));

        AssertDraws(machine, vgpu);
        Assert.Empty(machine.Shell.Complaints());
    }

    [Theory]
    [InlineData("virtio-gpu", "virtio_gpudrmfb", "", 12)]
    [InlineData("virtio-gpu-gl", "virtio_gpudrmfb", "", 4)]
    [InlineData("bochs", "bochs-drmdrmfb", ",pref32-reserve=64M", 3)]
    public void A_vgpu_in_use_by_the_console_is_plugged_and_unplugged_again_and_again(string type, string framebuffer, string room, int rounds)
    {
        using var vgpu = new ServedVgpu(type);
        using var machine = TestMachine.BootWith([.. VgpuAttachment.SharedMemory(512), "-device", "pcie-root-port,id=port1,chassis=1" + room]);
        for (int round = 0; round < rounds; round++)
        {
            HotPlug.Plug(machine, vgpu, framebuffer);
            machine.Shell.Run($"echo round {round} >/dev/tty0");
            Eventually.Shows(vgpu.Head, picture => picture.Pixels.Span.ContainsAnyExcept((byte)0), "the console");
            HotPlug.Unplug(machine);
        }

        Assert.Empty(machine.Shell.Complaints());
        Assert.False(machine.Qemu.Process.HasExited);
    }

    [Fact]
    public void Two_vgpus_of_one_VM_show_two_pictures()
    {
        using var first = new ServedVgpu("virtio-gpu");
        using var second = new ServedVgpu("bochs");
        using var machine = TestMachine.Boot(first.Attachment, second.Attachment);

        string cards = machine.Shell.Run("for c in /sys/class/drm/card?; do basename $(readlink -f $c/device/driver); done");
        Assert.Equal(["bochs-drm", "virtio-pci"], cards.Split('\n').Order());
        AssertDraws(machine, first, CardOf(machine, "virtio-pci"), seed: 3);
        AssertDraws(machine, second, CardOf(machine, "bochs-drm"), seed: 4);
        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void Two_VMs_at_once_each_draw_on_their_own()
    {
        using var left = new ServedVgpu("virtio-gpu");
        using var right = new ServedVgpu("virtio-gpu");
        using var one = TestMachine.Boot(left.Attachment);
        using var two = TestMachine.Boot(right.Attachment);

        AssertDraws(one, left, seed: 11);
        AssertDraws(two, right, seed: 22);
        AssertDraws(one, left, seed: 33);
    }

    [Theory]
    [InlineData(false, "IO-APIC")]
    [InlineData(true, "MSI")]
    public void The_guest_uses_the_interrupts_that_the_vgpu_was_made_with(bool msix, string kind)
    {
        using var vgpu = new ServedVgpu("virtio-gpu", msix: msix);
        using var machine = TestMachine.Boot(vgpu.Attachment);

        AssertDraws(machine, vgpu);

        string line = machine.Shell.Run("grep virtio0 /proc/interrupts | head -n 1");
        Assert.Contains(kind, line, StringComparison.Ordinal);
    }

    private static int CardOf(TestMachine machine, string driver) =>
        int.Parse(
            machine.Shell.Run($"for c in /sys/class/drm/card?; do [ $(basename $(readlink -f $c/device/driver)) = {driver} ] && echo ${{c#/sys/class/drm/card}}; done; true").Trim(),
            System.Globalization.CultureInfo.InvariantCulture);

    private static void AssertDraws(TestMachine machine, ServedVgpu vgpu, int card = 0, uint seed = 5)
    {
        using var drawing = new Drawing(machine.Shell, $"--card {card} --mode 1024x768 --pattern noise --seed {seed}");
        Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, seed));
    }
}
