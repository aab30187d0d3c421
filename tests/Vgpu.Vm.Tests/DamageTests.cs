using System.Globalization;
using System.Text.RegularExpressions;
using Vgpu.Qemu;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>
/// Viewers hear of the pixels that a guest says it has changed, and of no others. Linux 6.8 and later (6.12 too) say
/// "the whole screen" for ever once a driver that keeps a buffer per picture, as virtio_gpu does, has shown another one:
/// plane_state.ignore_damage_clips is set then and never cleared. So what counts is that we hear what QEMU's own device does.
/// </summary>
public sealed partial class DamageTests
{
    private const int Count = 40;
    private const uint Seed = 77;

    private static readonly Picture _before = GuestPattern.Noise(1024, 768, Seed);
    private static readonly Picture _after = GuestPattern.WithRects(_before, Seed, Count);

    [Fact]
    public void Viewers_hear_of_each_flush_that_QEMUs_own_device_gets_and_no_more()
    {
        string log = Path.GetTempFileName();
        try
        {
            // With blobs, so that the guest waits for us at each flush and none of the first picture's is still to come.
            using var vgpu = new ServedVgpu("virtio-gpu", guestBlobs: true);
            using var machine = TestMachine.Boot(vgpu.Attachment);
            using var peer = TestMachine.BootWith([.. VgpuAttachment.SharedMemory(512), "-device", "virtio-gpu-pci,xres=1024,yres=768", "-trace", "virtio_gpu_cmd_res_flush", "-D", log]);
            string arguments = $"--mode 1024x768 --pattern noise --seed {Seed} --rects {Count} --on-signal";
            using var drawing = new Drawing(machine.Shell, arguments);
            using var peerDrawing = new Drawing(peer.Shell, arguments);
            int peerBefore = Flushes(log).Count;
            using var record = new HeadRecord(vgpu.Head);

            drawing.Update();
            peerDrawing.Update();

            Eventually.Shows(vgpu.Head, _after);
            Eventually.Holds(() => Flushes(log).Count - peerBefore >= Count, "the flushes of QEMU's own device");
            Assert.Equal(Flushes(log).Skip(peerBefore), record.Damage);
            Assert.Empty(machine.Shell.Complaints());
        }
        finally
        {
            File.Delete(log);
        }
    }

    [Fact]
    public void Viewers_of_a_framebuffer_hear_of_little_more_than_what_the_guest_drew()
    {
        using var vgpu = new ServedVgpu("bochs");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        using var drawing = new Drawing(machine.Shell, $"--mode 1024x768 --pattern noise --seed {Seed} --rects {Count} --on-signal");
        Eventually.Shows(vgpu.Head, _before);
        using var record = new HeadRecord(vgpu.Head);

        drawing.Update();

        Eventually.Shows(vgpu.Head, _after);
        IReadOnlyList<Rect> damage = record.Damage;
        Assert.All(ChangedPixels(_before, _after), pixel => Assert.Contains(damage, rect => rect.Contains(pixel)));

        // It is looked for in tiles of 64 x 64.
        Assert.True(damage.Sum(rect => rect.Area) < 1024 * 768 / 2, $"{damage.Sum(rect => rect.Area)} pixels of damage");
        Assert.Empty(machine.Shell.Complaints());
    }

    // What the guest says, in our terms.
    private static List<Rect> Flushes(string log)
    {
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return [.. FlushLine().Matches(reader.ReadToEnd()).Select(match => new Rect(Number(match, "x"), Number(match, "y"), Number(match, "w"), Number(match, "h")))];
    }

    private static int Number(Match match, string name) => int.Parse(match.Groups[name].ValueSpan, CultureInfo.InvariantCulture);

    // One pixel of 64 is enough to find a rectangle that is missing.
    private static IEnumerable<Rect> ChangedPixels(Picture before, Picture after)
    {
        foreach (Rect rect in GuestPattern.Rects(before.Width, before.Height, Seed, Count))
        {
            for (int y = rect.Y; y < rect.Bottom; y += 8)
            {
                for (int x = rect.X; x < rect.Right; x += 8)
                {
                    int at = ((y * before.Width) + x) * 4;
                    if (!before.Pixels.Span.Slice(at, 3).SequenceEqual(after.Pixels.Span.Slice(at, 3)))
                    {
                        yield return new Rect(x, y, 1, 1);
                    }
                }
            }
        }
    }

    [GeneratedRegex(@"^virtio_gpu_cmd_res_flush res 0x[0-9a-f]+, w (?<w>\d+), h (?<h>\d+), x (?<x>\d+), y (?<y>\d+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex FlushLine();
}
