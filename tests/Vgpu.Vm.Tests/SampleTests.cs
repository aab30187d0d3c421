using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>The devices of samples/, as they are built and run by whoever copies them, in stock QEMU with a stock guest.</summary>
public sealed class SampleTests
{
    private static readonly string[] s_eduWorks =
    [
        "identification 0x010000ed", "inversion 0xedcba987", "factorial 3628800",
        "no DMA without bus mastering", "DMA round trip of 2048 bytes",
        "interrupt 0x5a", "interrupt 0x1", "factorial 479001600", "interrupt 0x100",
    ];

    [Fact]
    public void QEMUs_own_edu_does_what_the_guest_expects_of_ours()
    {
        using var machine = TestMachine.BootWithDevices("edu,dma_mask=0xffffffff");

        Assert.Equal(s_eduWorks, machine.Shell.Run("edu", timeoutSeconds: 90).Split('\n'));
    }

    [Fact]
    public void Edu_computes_moves_memory_and_interrupts()
    {
        using var edu = new SampleProcess("edu");
        using (var machine = TestMachine.BootWith(VgpuAttachment.Arguments(512, edu.Attachment)))
        {
            Assert.Equal(s_eduWorks, machine.Shell.Run("edu", timeoutSeconds: 90).Split('\n'));
            Assert.Empty(machine.Shell.Complaints());
        }

        edu.WaitFor("client left");
        Assert.Equal(0, edu.End());
    }

    [Fact]
    public void Framebuffer_shows_what_the_guests_own_driver_draws()
    {
        using var display = new SampleProcess("framebuffer", "shown.png");
        using var machine = TestMachine.BootWith(VgpuAttachment.Arguments(512, display.Attachment));
        foreach ((int width, int height) in ((int, int)[])[(1024, 768), (800, 600)])
        {
            using var drawing = new Drawing(machine.Shell, $"--card 0 --mode {width}x{height} --pattern noise --seed {width}");

            Picture shown = Save(display);

            PictureAssert.Same(GuestPattern.Noise(width, height, (uint)width), shown);
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    private static Picture Save(SampleProcess display)
    {
        display.Signal("USR1");
        display.WaitFor("shown.png: ");
        return PngReader.Read(File.ReadAllBytes(display.FilePath("shown.png")));
    }
}
