namespace Vgpu.Vm.Tests;

/// <summary>A VMM that dies in the middle of its guest's work leaves nothing behind, and the socket takes the next.</summary>
public sealed class LostClientTests
{
    [Fact]
    public void A_killed_QEMU_leaves_no_descriptor_and_no_mapping_and_the_next_one_boots()
    {
        using var vgpu = new ServedVgpu("virtio-gpu");
        (int descriptors, int mappings) before = Held();
        using (var machine = TestMachine.Boot(vgpu.Attachment))
        {
            machine.Shell.Run("drmdraw --card 0 --mode 1024x768 --pattern noise --frames 100000 >/dev/null 2>&1 &");
            Eventually.Shows(vgpu.Head, picture => picture.Pixels.Span.ContainsAnyExcept((byte)0), "frames");
            machine.Qemu.Process.Kill();
        }

        Assert.True(SpinWait.SpinUntil(() => !vgpu.Server.Connection.IsClientConnected && Held() == before, TimeSpan.FromSeconds(60)), $"{before} before, {Held()} after");

        using var next = TestMachine.Boot(vgpu.Attachment);
        using var drawing = new Drawing(next.Shell, "--card 0 --mode 1024x768 --pattern noise --seed 8");
        Eventually.Shows(vgpu.Head, GuestPattern.Noise(1024, 768, 8));
    }

    [Fact]
    public void A_QEMU_that_is_stopped_for_good_does_not_hold_up_the_end_of_the_server()
    {
        var vgpu = new ServedVgpu("virtio-gpu");
        using var machine = TestMachine.Boot(vgpu.Attachment);
        machine.Shell.Run("drmdraw --card 0 --mode 1024x768 --pattern noise --frames 100000 >/dev/null 2>&1 &");
        using (System.Diagnostics.Process.Start("kill", ["-STOP", $"{machine.Qemu.Process.Id}"]))
        {
        }

        var ending = new Thread(vgpu.Dispose);
        ending.Start();

        Assert.True(ending.Join(TimeSpan.FromSeconds(60)), "the server waits for a client that is stopped");
    }

    // The runtime's own memory file is its JIT's.
    private static (int Descriptors, int Mappings) Held() =>
        (Directory.GetFileSystemEntries("/proc/self/fd").Count(IsOfClient), File.ReadLines("/proc/self/maps").Count(line => line.Contains("/memfd:", StringComparison.Ordinal) && !line.Contains("/memfd:doublemapper", StringComparison.Ordinal)));

    // The runtime opens and closes descriptors of its own: those of clients are memory, events and sockets.
    private static bool IsOfClient(string path)
    {
        string? target = new FileInfo(path).LinkTarget;
        return target is not null && (target.StartsWith("/memfd:", StringComparison.Ordinal) || target == "anon_inode:[eventfd]" || target.StartsWith("socket:", StringComparison.Ordinal));
    }
}
