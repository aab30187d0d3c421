// An input device that moves, and one whose process is killed: the guest gets each event once and nothing stays pressed.
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class StateTests(ITestOutputHelper output)
{
    private const ushort KeyA = 30;

    [Fact]
    public void What_waits_and_what_is_pressed_moves()
    {
        using var from = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 3);
        from.SetStatus(EV_LED, LED_CAPSL, 1);
        from.Sink.Send([Key(KeyA, true)]);
        from.Sink.Send([Key(KeyA + 1, true)]);
        Assert.Equal("1.1e=1 0.0=0 1.1f=1", from.Take(3, giveBack: false));
        _ = from.ReadConfig(VirtioInputConstants.VIRTIO_INPUT_CFG_EV_BITS, (byte)EV_LED);
        byte[] state = Move.Save(from.Function);
        Assert.Equal(state, Move.Save(from.Function));
        using var to = new InputGuest(from);
        Assert.Equal(Errno.None, Move.Load(to.Function, state));
        Assert.Equal(state, Move.Save(to.Function));
        Move.Run(to.Function);
        Assert.Equal(VirtioInputLeds.CapsLock, to.Device.Leds);
        Assert.Equal(7, to.Driver.Read8(0, InputGuest.Config + 8));
        to.Give(10);
        to.Sink.Send([Key(KeyA, true), Key(KeyA + 1, false)]);
        Assert.Equal("0.0=0 1.1f=0 0.0=0", to.Take(3));
        ((VirtioInputSet)to.Sink).ReleaseAll();
        Assert.Equal("1.1e=0 0.0=0", to.Take(2));
    }

    [Fact]
    public void What_comes_while_it_is_stopped_is_told_when_it_goes_on()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start();
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
        ushort used = guest.Events.UsedIndex;
        Assert.Equal(Errno.None, guest.Function.Migration.SetDeviceState(Vfio.Migration.VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        guest.Sink.Send([Key(KeyA, false)]);
        guest.Driver.Kick(guest.Events);
        Assert.Equal(used, guest.Events.UsedIndex);
        Move.Run(guest.Function);
        Assert.Equal("1.1e=0 0.0=0", guest.Take(2));
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard)]
    [InlineData(VirtioInputKind.Tablet)]
    [InlineData(VirtioInputKind.Touch)]
    public void Nothing_but_a_state_of_this_kind_is_taken(VirtioInputKind kind)
    {
        using var from = new InputGuest(kind).Start(buffers: 0);
        var random = new Random(7);
        for (int i = 0; i < 100; i++)
        {
            from.Sink.Send([RandomInput.Next(random, kind)]);
        }

        byte[] state = Move.Save(from.Function);
        using var to = new InputGuest(from);
        Move.AssertTruncatedRefused(to.Function, state);
        int refused = Move.FlipBits(to.Function, state);
        output.WriteLine($"{refused} of {state.Length * 8} bits refused");
        Assert.InRange(refused, state.Length, state.Length * 7);
        using var other = new InputGuest(kind == VirtioInputKind.Touch ? VirtioInputKind.Tablet : VirtioInputKind.Touch);
        Move.AssertRefused(other.Function, state);
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard)]
    [InlineData(VirtioInputKind.Tablet)]
    [InlineData(VirtioInputKind.Touch)]
    public void Whatever_is_in_a_state_the_device_lives(VirtioInputKind kind)
    {
        var log = new ListLogger();
        using var from = new InputGuest(kind).Start(buffers: 5);
        var random = new Random(8);
        for (int i = 0; i < 100; i++)
        {
            from.Sink.Send([RandomInput.Next(random, kind)]);
        }

        byte[] state = Move.Save(from.Function);
        using var to = new InputGuest(from, log);
        int taken = 0;
        for (int round = 0; round < 2000; round++)
        {
            if (Move.Load(to.Function, Move.Damage(state, random)) == Errno.None)
            {
                Move.Run(to.Function);
                to.Sink.Send([RandomInput.Next(random, kind)]);
                to.Driver.Kick(to.Events);
                taken++;
            }

            Move.Reset(to.Function);
        }

        output.WriteLine($"{taken} taken");
        Assert.Equal(0, log.Count("device model failed"));
        to.Start();
        to.Sink.Send([Key(KeyA, true), Button(BTN_LEFT, true), Touch(0, 0, true, 0, 0, 1, 1)]);
        Assert.True(SpinWait.SpinUntil(() => to.Events.UsedIndex > 1, FakeDriver.Timeout));
    }

    [Fact]
    public void Once_sent_nothing_is_lost_with_the_process()
    {
        using var file = new CheckpointFile();
        using var first = new InputGuest(VirtioInputKind.Keyboard);
        file.Keep(first.Function);
        first.Start(buffers: 2);
        first.Sink.Send([Key(KeyA, true)]);
        Assert.Equal("1.1e=1 0.0=0", first.Take(2, giveBack: false));
        first.Sink.Send([Key(KeyA, false)]);
        CheckpointFile.Kill(first.Function);
        using var second = new InputGuest(first);
        Restore(second, file);
        second.Give(2);
        Assert.Equal("1.1e=0 0.0=0", second.Take(2));
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard, 1)]
    [InlineData(VirtioInputKind.Tablet, 2)]
    [InlineData(VirtioInputKind.Touch, 3)]
    public void Killed_at_random_it_sends_what_one_that_never_was_sends(VirtioInputKind kind, int seed)
    {
        var random = new Random(seed);
        using var steady = new InputGuest(kind).Start(buffers: 0);
        using var file = new CheckpointFile();
        var lives = new List<InputGuest> { new(kind) };
        file.Keep(lives[0].Function);
        lives[0].Start(buffers: 0);
        int kills = 0;
        for (var campaign = Campaign.Short(); campaign.Next();)
        {
            InputGuest mortal = lives[^1];
            InputEvent[] events = [.. Enumerable.Range(0, random.Next(4)).Select(_ => RandomInput.Next(random, kind))];
            steady.Sink.Send(events);
            mortal.Sink.Send(events);
            byte[] before = file.Copy(mortal.Function);
            VirtioInputEvent[] expected = GiveOne(steady);
            if (expected.Length == 0)
            {
                continue;
            }

            mortal.Give(1);
            ushort used = (ushort)(mortal.Taken + 1);
            Assert.True(SpinWait.SpinUntil(() => mortal.Events.UsedIndex == used, FakeDriver.Timeout), $"seed {seed}, {kills} kills: no event");
            if (random.Next(4) == 0)
            {
                lock (mortal.Function.Lock)
                {
                    // The worker has left Push.
                }

                CheckpointFile.Kill(mortal.Function);
                int point = random.Next(3);
                if (point == 0)
                {
                    file.Restore(before);
                }

                if (point != 2)
                {
                    mortal.Guest.Set16(mortal.Events.Used + 2, (ushort)(used - 1));
                }

                file.Tear(random);
                lives.Add(new InputGuest(mortal));
                Restore(lives[^1], file);
                mortal = lives[^1];
                Assert.True(SpinWait.SpinUntil(() => mortal.Events.UsedIndex == used, FakeDriver.Timeout), $"seed {seed}, {kills} kills: an event is lost");
                kills++;
            }

            Assert.Equal(expected, mortal.TakeAll(giveBack: false));
        }

        output.WriteLine($"{kills} kills");
        Assert.True(kills > 5, $"{kills} kills");
        lives.Reverse();
        lives.ForEach(life => life.Dispose());
    }

    // What a device that lives gives for one buffer, if anything: an event that waits comes, so a kick that brings none shows it.
    private static VirtioInputEvent[] GiveOne(InputGuest steady)
    {
        if (!steady.Device.HasEvent)
        {
            return [];
        }

        ushort used = (ushort)(steady.Taken + 1);
        steady.Give(1);
        Assert.True(SpinWait.SpinUntil(() => steady.Events.UsedIndex == used, FakeDriver.Timeout), "no event");
        return [.. steady.TakeAll(giveBack: false)];
    }

    private static void Restore(InputGuest guest, CheckpointFile file)
    {
        file.Keep(guest.Function);
        Assert.True(guest.Function.TryRestore(out string? why), why);
    }
}
