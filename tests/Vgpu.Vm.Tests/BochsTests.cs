using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>bochs-display: a framebuffer that the guest writes without us, and firmware that draws on it before any driver.</summary>
public sealed class BochsTests
{
    [Fact]
    public void Filling_the_framebuffer_sends_no_message()
    {
        using var vgpu = new ServedVgpu("bochs");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        machine.Shell.Run("fbfill --pattern noise --seed 9");
        Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, 9));

        machine.Shell.Run("fbfill --pattern gradient --frames 20");

        Assert.Equal(0, vgpu.Server.Connection.Counters.RegionWrites(0));
        Assert.Equal(0, vgpu.Server.Connection.Counters.RegionReads(0));
        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void SeaBIOS_draws_with_the_option_ROM_before_any_driver()
    {
        using var vgpu = new ServedVgpu("bochs", withRom: true);
        using var machine = TestMachine.Start([.. VgpuAttachment.Arguments(256, vgpu.Attachment), "-nodefaults", "-vga", "none", "-boot", "menu=on,splash-time=60000"]);

        // The BIOS's text mode: 720x400 with its words in it.
        Eventually.Shows(vgpu.Head, picture => LitPixels(picture) > 500, "SeaBIOS's words");
    }

    [Theory]
    [InlineData("bochs")]
    [InlineData("virtio-gpu")]
    public void OVMF_draws_before_any_driver(string type)
    {
        using var vgpu = new ServedVgpu(type);
        using var record = new HeadRecord(vgpu.Head);
        string variables = Path.GetTempFileName();
        try
        {
            File.Copy(QemuInstallation.OvmfVariables, variables, overwrite: true);
            using var machine = TestMachine.Start(
            [
                .. VgpuAttachment.Arguments(512, vgpu.Attachment),
                "-nodefaults", "-vga", "none", "-cpu", "max",
                "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={QemuInstallation.OvmfCode}",
                "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            ]);

            Eventually.Shows(vgpu.Head, picture => LitPixels(picture) > 2000, "the firmware's picture", timeoutSeconds: 120);

            // Its logo is not the whole screen.
            Eventually.Holds(() => record.Damage.Any(rect => rect.Area < 1024 * 768 / 16), "damage of less than the screen");
        }
        finally
        {
            File.Delete(variables);
        }
    }

    private static int LitPixels(Screens.Picture picture)
    {
        int lit = 0;
        ReadOnlySpan<byte> pixels = picture.Pixels.Span;
        for (int i = 0; i < pixels.Length; i += 4)
        {
            lit += (pixels[i] | pixels[i + 1] | pixels[i + 2]) > 0x40 ? 1 : 0;
        }

        return lit;
    }
}
