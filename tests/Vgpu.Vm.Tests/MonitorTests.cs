using Vgpu.Qemu;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>Monitors as the guest sees them: how many, which modes, whose EDID, also when they change under a running guest.</summary>
public sealed class MonitorTests
{
    [Fact]
    public void Three_monitors_come_and_go_and_each_shows_its_own_picture()
    {
        using var vgpu = new ServedVgpu("virtio-gpu", heads: 3);
        using var machine = TestMachine.Boot(vgpu.Attachment);
        IReadOnlyList<Head> heads = vgpu.Server.Screen.Heads;
        Assert.Equal(["connected", "disconnected", "disconnected"], States(machine.Shell));

        heads[1].RequestMode(new DisplayMode(800, 600));
        heads[1].SetConnected(true);
        heads[2].RequestMode(new DisplayMode(1366, 768));
        heads[2].SetConnected(true);
        WaitInGuest(machine.Shell, "[ $(cat /sys/class/drm/card0-*/status | grep -cx connected) = 3 ]");
        AssertMode(machine.Shell, vgpu, 1, "800x600@60");
        AssertMode(machine.Shell, vgpu, 2, "1366x768@60");

        using (new Drawing(machine.Shell, "--mode 1024x768 --pattern noise --seed 50 --all"))
        {
            Eventually.Shows(heads[0], GuestPattern.Noise(1024, 768, 50));
            Eventually.Shows(heads[1], GuestPattern.Noise(800, 600, 51));
            Eventually.Shows(heads[2], GuestPattern.Noise(1366, 768, 52));
        }

        heads[1].SetConnected(false);
        WaitInGuest(machine.Shell, "[ $(cat /sys/class/drm/card0-*/status | grep -cx connected) = 2 ]");
        Assert.Equal(["connected", "disconnected", "connected"], States(machine.Shell));
        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void A_mode_that_a_viewer_asks_for_becomes_the_preferred_one_in_the_running_guest()
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        AssertMode(machine.Shell, vgpu, 0, "1024x768@60");

        // The last does not fit EDID's own timing: it comes in an extension.
        foreach ((int width, int height) in ((int, int)[])[(1366, 768), (1920, 1080), (1201, 901), (5120, 2880)])
        {
            vgpu.Head.RequestMode(new DisplayMode(width, height));
            AssertMode(machine.Shell, vgpu, 0, $"{width}x{height}@60");

            using var drawing = new Drawing(machine.Shell, "--pattern noise --seed 60");
            Eventually.Shows(vgpu.Head, GuestPattern.Noise(width, height, 60));
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void The_guest_reads_the_EDID_that_each_head_has()
    {
        using var virtioSmall = new ServedVgpu("virtio-gpu", 1366, 768);
        using var virtioLarge = new ServedVgpu("virtio-gpu", 1920, 1080);
        using var bochsSmall = new ServedVgpu("bochs", 1366, 768);
        using var bochsLarge = new ServedVgpu("bochs", 1920, 1080);
        ServedVgpu[] all = [virtioSmall, virtioLarge, bochsSmall, bochsLarge];
        using var machine = TestMachine.Boot(all.Select(vgpu => vgpu.Attachment));

        string[] read = machine.Shell.Run(
            "for e in /sys/class/drm/card*-*/edid; do d=$(readlink -f ${e%/*}/device/device/driver); echo ${d##*/} $(od -An -v -tx1 $e | tr -d ' \\n'); done").Split('\n');

        Assert.Equal(
            all.Select(vgpu => $"{(vgpu == bochsSmall || vgpu == bochsLarge ? "bochs-drm" : "virtio-pci")} {Hex(vgpu.Head)}").Order(StringComparer.Ordinal),
            read.Order(StringComparer.Ordinal));
    }

    // What the guest's connectors say, in their order.
    private static string[] States(GuestShell shell) => shell.Run("cat /sys/class/drm/card0-*/status").Split('\n');

    // The guest hears of a change in its own time.
    private static void WaitInGuest(GuestShell shell, string condition) =>
        shell.Run($"n=0; until {condition}; do n=$((n+1)); [ $n -lt 200 ] || break; sleep 0.1; done; {condition}", timeoutSeconds: 90);

    private static void AssertMode(GuestShell shell, ServedVgpu vgpu, int connector, string mode)
    {
        WaitInGuest(shell, $"drmdraw --modes | awk '/^connector/ {{ n = $2 }} n == {connector}' | grep -qx '  mode {mode} preferred'");
        string edid = $"od -An -v -tx1 /sys/class/drm/card0-Virtual-{connector + 1}/edid | tr -d ' \\n'";
        Assert.Equal(Hex(vgpu.Server.Screen.Heads[connector]), shell.Run(edid + "; echo").Trim());
    }

    private static string Hex(Head head) => Convert.ToHexStringLower(head.Edid.Span);
}
