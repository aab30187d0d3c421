using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Vm.Tests.GuestCommands;

namespace Vgpu.Vm.Tests;

/// <summary>The two ways from a guest's memory to the screen, through the stock driver: a blob that is shown, a resource that is transferred to.</summary>
public sealed class BlobTests
{
    private const int Updates = 12;

    private static readonly (int Width, int Height)[] _modes = [(1024, 768), (1366, 768)];

    [Fact]
    public void A_blob_and_a_transferred_resource_show_their_picture_before_and_after_an_update()
    {
        using var vgpu = new ServedVgpu("virtio-gpu", guestBlobs: true);
        using var machine = TestMachine.Boot(vgpu.Attachment);

        foreach ((int width, int height) in _modes)
        {
            GuestCommands blob = During(machine.Shell, () => DrawAndUpdate(machine.Shell, vgpu, width, height, seed: 21, arguments: string.Empty));
            GuestCommands transfer = During(machine.Shell, () => DrawAndUpdate(machine.Shell, vgpu, width, height, seed: 22, arguments: "--2d"));

            Assert.True(blob[ResourceCreateBlob] >= 1 && blob[SetScanoutBlob] >= 1, $"no blob: {blob}");
            Assert.True(blob[ResourceCreate2D] == 0, $"a resource of the host beside the blob: {blob}");
            Assert.True(transfer[ResourceCreate2D] == 1 && transfer[SetScanout] >= 1 && transfer[TransferToHost2D] >= 1 + Updates, $"no transfers: {transfer}");
        }

        Assert.Empty(machine.Shell.Complaints());
    }

    [Fact]
    public void Dumb_buffers_and_the_console_of_a_stock_guest_are_blobs()
    {
        using var vgpu = new ServedVgpu("virtio-gpu", guestBlobs: true);
        using var machine = TestMachine.Boot(vgpu.Attachment);

        GuestCommands drawn = During(machine.Shell, () =>
        {
            using var drawing = new Drawing(machine.Shell, "--mode 1024x768 --pattern noise --seed 23 --rects 5");
            PictureAssert.Same(GuestPattern.WithRects(GuestPattern.Noise(1024, 768, 23), 23, 5), vgpu.Capture());
        });

        Assert.True(drawn[ResourceCreateBlob] >= 1 && drawn[SetScanoutBlob] >= 1 && drawn[ResourceCreate2D] == 0, $"not blobs: {drawn}");
        Assert.Equal(0, During(machine.Shell, () => machine.Shell.Run("rebind 1"))[ResourceCreate2D]);
    }

    private static void DrawAndUpdate(GuestShell shell, ServedVgpu vgpu, int width, int height, uint seed, string arguments)
    {
        Picture before = GuestPattern.Noise(width, height, seed);
        using var drawing = new Drawing(shell, $"{arguments} --mode {width}x{height} --pattern noise --seed {seed} --rects {Updates} --on-signal", "blobdraw");
        Eventually.Shows(vgpu.Head, before);

        drawing.Update();

        Eventually.Shows(vgpu.Head, GuestPattern.WithRects(before, seed, Updates));
    }
}
