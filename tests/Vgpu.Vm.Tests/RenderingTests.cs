using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>Debian's stock Mesa in the guest, which draws with the OpenGL of the host.</summary>
public sealed partial class RenderingTests
{
    private const int Mebibytes = 1280;
    private const uint Grey = 0x808080;

    [Fact]
    public void Stock_Mesa_draws_with_the_hosts_OpenGL_and_the_screen_shows_it()
    {
        using var vgpu = new ServedVgpu("virtio-gpu-gl");
        using TestMachine machine = Boot(vgpu);

        // It ends once its standard input does.
        machine.Shell.Run("sleep 600 | kmscube -c 100000 >/tmp/kmscube 2>&1 &");
        Picture? first = null;
        Eventually.Shows(vgpu.Head, picture => IsCube(first = picture), "a cube of many colours before a grey wall");
        Eventually.Shows(vgpu.Head, picture => IsCube(picture) && !picture.Pixels.Span.SequenceEqual(first!.Pixels.Span), "the cube turned");
        Assert.Matches(@"renderer: ""virgl \(.+\)""", machine.Shell.Run("grep renderer: /tmp/kmscube"));

        machine.Shell.Run("killall kmscube sleep");
        Eventually.Shows(vgpu.Head, picture => !IsCube(picture), "the console again");
        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void The_scenes_of_glmark2_run_with_the_hosts_OpenGL()
    {
        using var vgpu = new ServedVgpu("virtio-gpu-gl");
        using TestMachine machine = Boot(vgpu);
        string said = machine.Shell.Run("glmark2-es2-drm --off-screen --size 400x300 -b build:duration=1 -b texture:duration=1 -b shading:shading=phong:duration=1 -b shadow:duration=1", 300);
        Assert.Contains("GL_RENDERER:    virgl (", said, StringComparison.Ordinal);
        Assert.Equal(["build", "texture", "shading", "shadow"], Scene().Matches(said).Select(match => match.Groups[1].Value));
        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void A_frame_that_every_right_OpenGL_draws_alike_is_drawn_to_the_last_bit()
    {
        const int Width = 128;
        const int Height = 96;
        const int Rects = 24;
        using var vgpu = new ServedVgpu("virtio-gpu-gl");
        using TestMachine machine = Boot(vgpu);
        foreach (uint seed in (uint[])[1, 0xfedcba98])
        {
            string said = machine.Shell.Run($"glframe --scene exact --size {Width}x{Height} --rects {Rects} --seed {seed} --out /tmp/frame");
            Assert.StartsWith("renderer virgl (", said, StringComparison.Ordinal);
            Picture drawn = Ppm.Read(Convert.FromBase64String(machine.Shell.Run("base64 /tmp/frame")));
            PictureAssert.Same(GuestPattern.WithRects(GuestPattern.Noise(Width, Height, seed), seed, Rects), drawn);
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    private static TestMachine Boot(ServedVgpu vgpu)
    {
        var machine = TestMachine.BootWith(VgpuAttachment.Arguments(Mebibytes, [vgpu.Attachment]), initrd: TestMachine.InitrdWithMesa);
        machine.Shell.Run("export PATH=/bin:/usr/bin XDG_RUNTIME_DIR=/tmp");
        return machine;
    }

    // The colours of its corners run into each other on its faces.
    private static bool IsCube(Picture picture)
    {
        ReadOnlySpan<uint> pixels = MemoryMarshal.Cast<byte, uint>(picture.Pixels.Span);
        HashSet<uint> colours = [.. pixels.Slice(picture.Height / 2 * picture.Width, picture.Width).ToArray().Select(pixel => pixel & 0xffffff)];
        uint[] corners = [pixels[0] & 0xffffff, pixels[picture.Width - 1] & 0xffffff, pixels[^1] & 0xffffff];
        return corners.All(corner => corner == Grey) && colours.Count > 100;
    }

    [GeneratedRegex(@"\[(\w+)\] \S+ FPS: [1-9]\d*")]
    private static partial Regex Scene();
}
