// A virtio GPU whose process is killed: its successor shows the same, and its driver goes on with what it made.
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class CheckpointTests(ITestOutputHelper output)
{
    private const int Side = StateTests.Side;
    private const int Bytes = Side * Side * 4;
    private const ulong BlobOffset = GpuGuest.PictureOffset + 0x10_0000;

    [Fact]
    public void Everything_that_a_driver_made_comes_back_and_the_picture_with_it()
    {
        using var file = new CheckpointFile(8 << 20);
        using var first = new GpuGuest(heads: 2);
        file.Keep(first.Function);
        StateTests.Draw(first);
        byte[] uuid = StateTests.Uuid(first, 1);
        (ulong, int) held = (first.Device.VideoMemoryUsed, first.Device.ResourceCount);
        HeadState[] heads = [.. first.Screen.Heads.Select(head => head.State with { Generation = 0 })];
        (CursorImage? Image, int X, int Y) cursor = first.Head.Cursor;
        CheckpointFile.Kill(first.Function);

        using var second = new GpuGuest(first, heads: 2);
        Restore(second, file);
        Assert.Equal(uuid, StateTests.Uuid(second, 1));
        Assert.Equal(held, (second.Device.VideoMemoryUsed, second.Device.ResourceCount));
        Assert.Equal(heads, second.Screen.Heads.Select(head => head.State with { Generation = 0 }));
        StateTests.AssertShowsRam(second, 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
        StateTests.AssertShowsRam(second, 1, BlobOffset, new Rect(0, 0, Side, Side));
        Assert.Equal((cursor.X, cursor.Y, cursor.Image!.HotX, cursor.Image.HotY),
            (second.Head.Cursor.X, second.Head.Cursor.Y, second.Head.Cursor.Image!.HotX, second.Head.Cursor.Image!.HotY));
        Assert.True(cursor.Image.Pixels.Span.SequenceEqual(second.Head.Cursor.Image!.Pixels.Span));
        Assert.Equal(new DisplayMode(1280, 720), second.Head.PreferredMode);

        // The guest draws on, and cleans up.
        new Random(9).NextBytes(second.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, second.Transfer(1, R(0, 0, Side, Side)));
        Assert.Equal(OK, second.Flush(1, R(0, 0, Side, Side)));
        StateTests.AssertShowsRam(second, 0, GpuGuest.PictureOffset, new Rect(8, 4, 40, 50));
        for (uint id = 1; id <= 4; id++)
        {
            Assert.Equal(OK, second.Unref(id));
        }

        Assert.Equal((0UL, 0), (second.Device.VideoMemoryUsed, second.Device.ResourceCount));
    }

    [Fact]
    public void A_picture_without_a_backing_comes_back_black_and_one_with_half_of_it_by_half()
    {
        using var file = new CheckpointFile(8 << 20);
        using var first = new GpuGuest(heads: 2);
        file.Keep(first.Function);
        first.Ram(GpuGuest.PictureOffset, Bytes).Fill(0x55);
        for (uint id = 1; id <= 2; id++)
        {
            Assert.Equal(OK, first.Create2D(id, Side, Side));
            Assert.Equal(OK, first.Attach(id, Backing(GpuGuest.PictureOffset, id == 1 ? (uint)Bytes : Bytes / 2)));
            Assert.Equal(OK, first.Transfer(id, R(0, 0, Side, Side / 2)));
            Assert.Equal(OK, first.SetScanout(id - 1, id, R(0, 0, Side, Side)));
        }

        Assert.Equal(OK, first.Detach(1));
        CheckpointFile.Kill(first.Function);
        using var second = new GpuGuest(first, heads: 2);
        Restore(second, file);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, second.GetDisplayInfo());
        Assert.DoesNotContain((byte)0x55, second.Screen.Heads[0].Capture(false)!.Pixels.ToArray());
        StateTests.AssertShowsRam(second, 1, GpuGuest.PictureOffset, new Rect(0, 0, Side, Side / 2));
        Assert.DoesNotContain((byte)0x55, second.Screen.Heads[1].Capture(false)!.Pixels.Span[(Bytes / 2)..].ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_blob_shows_what_was_flushed_and_before_that_nothing(bool isFlushed)
    {
        using var file = new CheckpointFile(8 << 20);
        using var first = new GpuGuest();
        file.Keep(first.Function);
        first.Ram(BlobOffset, Bytes).Fill(0x33);
        Assert.Equal(OK, first.CreateBlob(2, Bytes, Backing(BlobOffset, Bytes)));
        Assert.Equal(OK, first.SetScanoutBlob(0, 2, R(0, 0, Side, Side), Side, Side, Side * 4));
        Assert.Equal(OK, isFlushed ? first.Flush(2, R(3, 3, 1, 1)) : OK);
        CheckpointFile.Kill(first.Function);
        using var second = new GpuGuest(first);
        Restore(second, file);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, second.GetDisplayInfo());
        Assert.Equal(isFlushed, second.Head.Capture(false)!.Pixels.Span.Contains((byte)0x33));
        Assert.Equal(OK, isFlushed ? OK : second.Flush(2, R(3, 3, 1, 1)));
        StateTests.AssertShowsRam(second, 0, BlobOffset, new Rect(0, 0, Side, Side));
    }

    [Fact]
    public void Memory_that_is_being_mapped_anew_is_waited_for()
    {
        using var file = new CheckpointFile(8 << 20);
        using var first = new GpuGuest();
        file.Keep(first.Function);
        new Random(1).NextBytes(first.Ram(GpuGuest.PictureOffset, Bytes));
        Assert.Equal(OK, first.Create2D(1, Side, Side));
        Assert.Equal(OK, first.Attach(1, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, first.SetScanout(0, 1, R(0, 0, Side, Side)));
        CheckpointFile.Kill(first.Function);
        using var second = new GpuGuest(first);
        first.Unmap();
        Restore(second, file);
        first.Map();
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, second.GetDisplayInfo());
        StateTests.AssertShowsRam(second, 0, GpuGuest.PictureOffset, new Rect(0, 0, Side, Side));
    }

    [Fact]
    public void A_quota_that_was_lowered_leaves_the_guest_what_it_had()
    {
        using var file = new CheckpointFile(8 << 20);
        using var first = new GpuGuest(videoMemory: 16 << 20);
        file.Keep(first.Function);
        Assert.Equal(OK, first.Create2D(1, 1024, 1024));
        Assert.Equal(OK, first.Create2D(2, 1024, 1024));
        first.Instance!.SetVideoMemory(5 << 20);
        byte[] copy = file.Copy(first.Function);
        CheckpointFile.Kill(first.Function);
        using (var second = new GpuGuest(first, videoMemory: 5 << 20))
        {
            file.Keep(second.Function);
            Assert.False(second.Function.TryRestore(out string? why));
            Assert.Contains("video memory", why, StringComparison.Ordinal);
            Assert.Equal(0, second.Device.ResourceCount);
        }

        file.Restore(copy);
        using var third = new GpuGuest(first, videoMemory: 5 << 20, peak: 16 << 20);
        Restore(third, file);
        Assert.Equal(2, third.Device.ResourceCount);
        Assert.Equal(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, third.Create2D(3, 8, 8));
        Assert.Equal(OK, third.Unref(1));
        Assert.Equal(OK, third.Create2D(3, 8, 8));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Killed_at_random_it_is_as_one_that_never_was(int seed) => Compare(seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(101)]
    public void Killed_at_random_for_long_it_is_as_one_that_never_was(int seed) => Compare(seed, Campaign.Long());

    [Fact]
    public void Whatever_is_in_the_file_is_refused_or_harmless()
    {
        const ulong Quota = 2 << 20;
        using var file = new CheckpointFile(512 << 10);
        using var first = new GpuGuest(heads: 2, videoMemory: 4 << 20);
        file.Keep(first.Function);
        StateTests.Draw(first);
        Assert.Equal(OK, first.Unref(4));
        Assert.Equal(OK, first.UpdateCursor(0, 0, 0, 0));
        byte[] good = file.Copy(first.Function);
        CheckpointFile.Kill(first.Function);
        int slot = (good.Length - 4096) / 2;
        int at = 4096 + ((good[8] & 1) * slot);
        var random = new Random(4);
        var log = new ListLogger();
        using var second = new GpuGuest(first, heads: 2, videoMemory: Quota, log: log);
        int descriptors = OwnDescriptors.Count("/memfd:vgpu");
        int taken = 0;
        const int Rounds = 3000;
        for (int round = 0; round < Rounds; round++)
        {
            file.Restore(good);
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                int offset = random.Next(10) == 0 ? random.Next(32) : at + random.Next(1700);
                file.Bytes[offset] = random.Next(3) switch { 0 => 0xff, 1 => (byte)random.Next(256), _ => (byte)(file.Bytes[offset] ^ (1 << random.Next(8))) };
            }

            file.Keep(second.Function);
            taken += second.Function.TryRestore(out _) ? 1 : 0;
            Assert.InRange(second.Device.VideoMemoryUsed, 0UL, Quota);
            second.Kick();
            _ = second.Head.Capture(withCursor: true);
            Move.Reset(second.Function);
            Assert.Equal((0UL, 0), (second.Device.VideoMemoryUsed, second.Device.ResourceCount));
            second.Function.Checkpoint = null;
        }

        output.WriteLine($"{taken} of {Rounds} taken");
        Assert.InRange(taken, 100, Rounds - 100);
        Assert.Equal(0, log.Count("device model failed"));
        Assert.Equal(descriptors, OwnDescriptors.Count("/memfd:vgpu"));
        second.Start(GpuGuest.AllFeatures);
        Assert.Equal(OK, second.Create2D(7, 4, 4));
    }

    // The same commands to two guests, of which one is killed now and then.
    private static void Compare(int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var steady = new GpuGuest(heads: 2);
        using var file = new CheckpointFile(8 << 20);
        var lives = new List<GpuGuest> { new(heads: 2) };
        file.Keep(lives[0].Function);
        foreach (GpuGuest guest in (GpuGuest[])[steady, lives[0]])
        {
            new Random(seed).NextBytes(guest.Ram(GpuGuest.PictureOffset, 4 << 20));
        }

        int kills = 0;
        while (campaign.Next())
        {
            int command = random.Next();
            byte[] before = file.Copy(lives[^1].Function);
            GpuGuest mortal = lives[^1];
            uint expected = RandomCommands.Step(steady, new Random(command));
            int control = mortal.Answered;
            Assert.Equal(expected, RandomCommands.Step(mortal, new Random(command)));
            if (random.Next(8) == 0)
            {
                bool wasControl = mortal.Answered != (ushort)control;
                int point = wasControl ? random.Next(3) : 2;
                ushort answered = mortal.Answered;
                lock (mortal.Function.Lock)
                {
                    // The worker has left Push.
                }

                CheckpointFile.Kill(mortal.Function);
                if (point == 0)
                {
                    file.Restore(before);
                }

                if (point != 2)
                {
                    mortal.TakeBackUsedIndex();
                }

                file.Tear(random);
                var next = new GpuGuest(lives[0], heads: 2);
                Restore(next, file);
                Assert.True(SpinWait.SpinUntil(() => next.Answered == answered, FakeDriver.Timeout), $"seed {seed}, kill {kills}: a chain is lost");
                if (lives.Count > 1)
                {
                    lives[^1].Dispose();
                    lives.RemoveAt(lives.Count - 1);
                }

                lives.Add(next);
                kills++;
            }

            AssertSame(steady, lives[^1], $"seed {seed}, round {campaign.Rounds}, {kills} kills");
        }

        Assert.True(kills > 5, $"{kills} kills");
        RandomCommands.DrawAll(steady);
        RandomCommands.DrawAll(lives[^1]);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(steady.Screen.Heads[i].Capture(true)?.Pixels.ToArray(), lives[^1].Screen.Heads[i].Capture(true)?.Pixels.ToArray());
        }

        lives.Reverse();
        lives.ForEach(life => life.Dispose());
    }

    private static void AssertSame(GpuGuest expected, GpuGuest actual, string when)
    {
        // An answer is seen before the worker lets go of its lock: what is compared is what it left.
        lock (actual.Function.Lock)
        {
            Assert.True(
                (expected.Device.VideoMemoryUsed, expected.Device.ResourceCount) == (actual.Device.VideoMemoryUsed, actual.Device.ResourceCount),
                $"{when}: {actual.Device.VideoMemoryUsed} bytes of {actual.Device.ResourceCount}, not {expected.Device.VideoMemoryUsed} of {expected.Device.ResourceCount}");
        }

        for (int i = 0; i < 2; i++)
        {
            HeadState was = expected.Screen.Heads[i].State with { Generation = 0 };
            Assert.True(was == actual.Screen.Heads[i].State with { Generation = 0 }, $"{when}: head {i}");
            Assert.True(
                (expected.Screen.Heads[i].Cursor.X, expected.Screen.Heads[i].Cursor.Y) == (actual.Screen.Heads[i].Cursor.X, actual.Screen.Heads[i].Cursor.Y),
                $"{when}: cursor {i}");
        }
    }

    private static void Restore(GpuGuest guest, CheckpointFile file)
    {
        file.Keep(guest.Function);
        Assert.True(guest.Function.TryRestore(out string? why), why);
        Assert.NotEqual(0UL, guest.ConfigInterrupt.Take());
    }
}
