using System.Diagnostics;
using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>Long campaigns: <c>./test --long</c>.</summary>
[Trait("Length", "long")]
public sealed class CampaignTests
{
    private const int Rounds = 10;
    private const int ResetsPerRound = 3;

    [Fact]
    public void A_guest_unbinds_and_binds_its_driver_1000_times()
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        for (int round = 0; round < Rounds; round++)
        {
            machine.Shell.Run("rebind 100", timeoutSeconds: 300);
            AssertDraws(machine, vgpu, seed: (uint)round);
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void A_vgpu_in_use_is_unplugged_and_plugged_100_times()
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.BootWith([.. VgpuAttachment.SharedMemory(512), "-device", "pcie-root-port,id=port1,chassis=1"]);
        for (int round = 0; round < 100; round++)
        {
            HotPlug.Plug(machine, vgpu);
            machine.Shell.Run($"echo round {round} >/dev/tty0");
            Eventually.Shows(vgpu.Head, picture => ConsoleText.Shows(picture, $"round {round}"), "the console");
            HotPlug.Unplug(machine);
        }

        HotPlug.Plug(machine, vgpu);
        AssertDraws(machine, vgpu, seed: 100);
        Assert.Empty(machine.Shell.Complaints());
    }

    [Theory]
    [InlineData(1)]
    public void System_resets_at_30_random_moments_of_booting_leave_a_vgpu_that_boots(int seed)
    {
        var random = new Random(seed);
        using var vgpu = new ServedVgpu("virtio-gpu");
        long begun = Stopwatch.GetTimestamp();
        using var machine = TestMachine.Boot(vgpu.Attachment);

        // A reset while the guest still boots, never after it is ready: its word would be taken for the next boot's.
        int boot = (int)(Stopwatch.GetElapsedTime(begun).TotalMilliseconds * 0.6);
        for (int round = 0; round < Rounds; round++)
        {
            for (int reset = 0; reset < ResetsPerRound; reset++)
            {
                machine.Qemu.Qmp.Execute("system_reset");
                Assert.False(machine.Qemu.Process.WaitForExit(random.Next(boot)), $"QEMU ended in round {round}: {machine.Qemu.Errors}");
            }

            machine.Qemu.Qmp.Execute("system_reset");
            machine.Shell.WaitUntilReady(TimeSpan.FromSeconds(120));
            AssertDraws(machine, vgpu, seed: (uint)(200 + round));
            Assert.Empty(machine.Shell.Complaints());
        }
    }

    private static void AssertDraws(TestMachine machine, ServedVgpu vgpu, uint seed)
    {
        using var drawing = new Drawing(machine.Shell, $"--mode 1024x768 --pattern noise --seed {seed}");
        Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, seed));
    }
}
