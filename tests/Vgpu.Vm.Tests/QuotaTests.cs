namespace Vgpu.Vm.Tests;

/// <summary>A guest that wants more than its video memory is refused, told so, and keeps its screen.</summary>
public sealed class QuotaTests
{
    // The console and a picture of 1024x768 fit, one of 1920x1080 does not.
    private const ulong VideoMemory = 8 << 20;

    // Resources of the host cost their pixels, blobs of guest memory only our bookkeeping.
    [Theory]
    [InlineData(false, "blobdraw --2d --mode 512x512 --hoard 20")]
    [InlineData(true, "blobdraw --mode 64x64 --hoard 9000")]
    public void A_guest_that_hoards_is_refused_and_its_screen_goes_on(bool guestBlobs, string hoard)
    {
        using var vgpu = new ServedVgpu("virtio-gpu", videoMemory: VideoMemory, guestBlobs: guestBlobs);
        using var machine = TestMachine.Boot(vgpu.Attachment);
        machine.Shell.Run($"{hoard} --hold </dev/zero >/tmp/hoard 2>&1 &");
        WaitForRefusal(machine);
        Assert.Contains("0x1201", vgpu.Log, StringComparison.Ordinal);

        machine.Shell.TryRun("kill $!; wait $!");
        machine.Shell.Run("dmesg -c >/dev/null; echo the console goes on >/dev/tty0");
        Eventually.Shows(vgpu.Head, picture => ConsoleText.Shows(picture, "the console goes on"), "the console");
        using (new Drawing(machine.Shell, "--mode 1024x768 --pattern noise --seed 70"))
        {
            Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, 70));
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void A_picture_larger_than_the_video_memory_is_refused_and_a_smaller_one_follows()
    {
        using var vgpu = new ServedVgpu("virtio-gpu", videoMemory: VideoMemory);
        using var machine = TestMachine.Boot(vgpu.Attachment);
        using (new Drawing(machine.Shell, "--mode 1920x1080 --pattern noise --seed 71"))
        {
            WaitForRefusal(machine);
        }

        machine.Shell.Run("dmesg -c >/dev/null");
        using (new Drawing(machine.Shell, "--mode 1024x768 --pattern noise --seed 72"))
        {
            Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, 72));
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    // The guest's driver does not wait for the answer: VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY.
    private static void WaitForRefusal(TestMachine machine)
    {
        machine.Shell.TryRun("n=0; until dmesg | grep -q 'response 0x1201'; do n=$((n+1)); [ $n -lt 300 ] || break; sleep 0.1; done", timeoutSeconds: 60);
        Assert.Contains("response 0x1201", machine.Shell.Complaints(), StringComparison.Ordinal);
    }
}
