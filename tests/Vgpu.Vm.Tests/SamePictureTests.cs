using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>The same guest drawing the same pattern shows the same pixels on our device as on QEMU's own.</summary>
public sealed class SamePictureTests
{
    // 1366 is not a multiple of 4.
    private static readonly (int Width, int Height)[] _modes = [(1024, 768), (800, 600), (1366, 768)];

    [Theory]
    [InlineData("virtio-gpu", "virtio-gpu-pci")]
    [InlineData("bochs", "bochs-display")]
    public void A_pattern_drawn_through_DRM_is_pixel_for_pixel_QEMUs_own(string ours, string theirs)
    {
        using var vgpu = new ServedVgpu(ours, 1366, 768);
        using var machine = TestMachine.Boot(vgpu.Attachment);
        using var peer = TestMachine.BootWithDevices($"{theirs},xres=1366,yres=768");
        foreach ((int width, int height) in _modes)
        {
            foreach (string pattern in (string[])["noise", "gradient"])
            {
                string arguments = $"--card 0 --mode {width}x{height} --pattern {pattern} --seed {width}";
                using var drawing = new Drawing(machine.Shell, arguments);
                using var peerDrawing = new Drawing(peer.Shell, arguments);
                Picture expected = pattern == "noise" ? GuestPattern.Noise(width, height, (uint)width) : GuestPattern.Gradient(width, height, (uint)width);

                peer.WaitUntilDumped(expected);
                Eventually.Shows(vgpu.Head, expected);
                PictureAssert.Same(peer.Screendump(), vgpu.Capture());
            }
        }

        Assert.Empty(machine.Shell.Complaints());
    }
}
