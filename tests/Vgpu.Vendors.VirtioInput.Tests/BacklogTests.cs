// A guest that gives fewer buffers than there are events: frames may be lost, what is pressed and where never.
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Vendors.VirtioInput.InputEventCodes;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class BacklogTests
{
    private const ushort KeyA = 30;

    [Fact]
    public void Events_wait_for_buffers_in_their_order()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 0);
        for (int i = 0; i < 10; i++)
        {
            guest.Sink.Send([Key(KeyA, i % 2 == 0)]);
        }

        guest.Give(3);
        Assert.Equal("1.1e=1 0.0=0 1.1e=0", guest.Take(3, giveBack: false));
        guest.Give(17);
        Assert.Equal($"0.0=0 {string.Join(' ', Enumerable.Range(2, 8).Select(i => $"1.1e={1 - (i % 2)} 0.0=0"))}", guest.Take(17, giveBack: false));
    }

    [Fact]
    public void A_release_that_finds_no_room_comes_when_there_is_some()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 2);
        guest.Sink.Send([Key(KeyA, true)]);
        Assert.Equal("1.1e=1 0.0=0", guest.Take(2, giveBack: false));
        for (int i = 0; i < 100; i++)
        {
            guest.Sink.Send([Key(KeyA + 1, i % 2 == 0)]);
        }

        guest.Sink.Send([Key(KeyA, false), Key(KeyA + 2, true)]);
        guest.Give(60);
        _ = guest.Take(60, giveBack: false);
        guest.Give(64);
        string last = guest.Take(7, giveBack: false);
        Assert.EndsWith("1.1e=0 1.20=1 0.0=0", last, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frame_longer_than_the_queue_comes_as_what_it_came_to()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start();
        var model = new GuestModel(VirtioInputKind.Keyboard);
        ushort[] keys = [.. Enumerable.Range(1, 83).Select(key => (ushort)key)];
        guest.Sink.Send([.. keys.Select(key => Key(key, true)), Key(KeyA, false)]);
        string expected = $"[{string.Join(' ', keys.Except([KeyA]))}]";
        guest.Driver.WaitFor(() =>
        {
            guest.TakeAll().ForEach(model.Apply);
            return model.ToString().StartsWith(expected, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_slow_guest_gets_the_newest_place_before_the_press_there()
    {
        using var guest = new InputGuest(VirtioInputKind.Tablet).Start(buffers: 0);
        for (int i = 0; i < 5000; i++)
        {
            guest.Sink.Send([new InputEvent(InputKind.Pointer, 0, 0, 0, i, 2 * i), Scroll(0, 7)]);
        }

        guest.Sink.Send([Button(BTN_LEFT, true)]);
        var model = new GuestModel(VirtioInputKind.Tablet);
        guest.Give(64);
        string expected = $"[{BTN_LEFT}] 4999,9998";
        guest.Driver.WaitFor(() =>
        {
            guest.TakeAll().ForEach(model.Apply);
            return model.ToString().StartsWith(expected, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard, 1)]
    [InlineData(VirtioInputKind.Tablet, 2)]
    [InlineData(VirtioInputKind.Touch, 3)]
    public void Whatever_the_supply_the_guest_s_view_comes_to_be_the_truth(VirtioInputKind kind, int seed) => Compare(kind, seed, Campaign.Short());

    [Theory]
    [Trait("Length", "long")]
    [InlineData(VirtioInputKind.Keyboard, 101)]
    [InlineData(VirtioInputKind.Tablet, 102)]
    [InlineData(VirtioInputKind.Touch, 103)]
    public void For_long_too(VirtioInputKind kind, int seed) => Compare(kind, seed, Campaign.Long());

    private static void Compare(VirtioInputKind kind, int seed, Campaign campaign)
    {
        var random = new Random(seed);
        using var guest = new InputGuest(kind).Start(buffers: 0);
        var model = new GuestModel(kind);
        var truth = new Truth(kind);
        int given = 0;
        while (campaign.Next())
        {
            switch (random.Next(20))
            {
                case 0:
                    guest.Driver.Reset();
                    guest.Start(buffers: 0);
                    (model, truth, given) = (new GuestModel(kind), new Truth(kind), 0);
                    break;
                case < 5:
                    int more = random.Next(Math.Min(20, 65 - given));
                    guest.Give(more);
                    given += more;
                    break;
                default:
                    InputEvent[] events = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => RandomInput.Next(random, kind))];
                    guest.Sink.Send(events);
                    truth.Apply(events);
                    break;
            }

            foreach (VirtioInputEvent got in guest.TakeAll(giveBack: false))
            {
                model.Apply(got);
                given--;
            }

            if (campaign.Rounds % 50 == 0)
            {
                guest.Give(64 - given);
                given = 64;
                bool isSame = SpinWait.SpinUntil(
                    () =>
                    {
                        guest.TakeAll().ForEach(model.Apply);
                        return model.ToString() == truth.ToString();
                    },
                    FakeDriver.Timeout);
                Assert.True(isSame, $"seed {seed}, round {campaign.Rounds}: {model}, not {truth}");
                Assert.InRange(model.Wheel.Fine - (120 * model.Wheel.Notches), -100_000, 100_000);
            }
        }

        Assert.False(guest.Driver.NeedsReset);
    }

    /// <summary>The state that events come to, by itself.</summary>
    private sealed class Truth(VirtioInputKind kind)
    {
        private readonly SortedSet<ushort> _pressed = [];
        private readonly (bool Down, int X, int Y)[] _fingers = new (bool, int, int)[MaxSlots];
        private readonly List<int> _order = [];
        private int _x;
        private int _y;

        internal void Apply(ReadOnlySpan<InputEvent> events)
        {
            foreach (InputEvent happened in events)
            {
                switch (happened.Kind)
                {
                    case InputKind.Key or InputKind.Button:
                        _ = happened.Value == 1 ? _pressed.Add(happened.Code) : _pressed.Remove(happened.Code);
                        break;
                    case InputKind.Pointer:
                        (_x, _y) = (happened.X, happened.Y);
                        break;
                    case InputKind.Touch when kind == VirtioInputKind.Touch:
                        Touch(happened);
                        break;
                }
            }
        }

        public override string ToString() =>
            $"[{string.Join(' ', _pressed)}] {_x},{_y} {string.Join(' ', _fingers.Select((finger, i) => finger.Down ? $"{i}:{finger.X},{finger.Y}" : string.Empty))}";

        private void Touch(InputEvent happened)
        {
            ref (bool Down, int X, int Y) finger = ref _fingers[happened.Code];
            if (happened.Value == 0)
            {
                finger.Down = false;
                _order.Remove(happened.Code);
            }
            else
            {
                if (!finger.Down)
                {
                    _order.Add(happened.Code);
                }

                finger = (true, happened.X, happened.Y);
            }

            _ = _order.Count > 0 ? _pressed.Add(BTN_TOUCH) : _pressed.Remove(BTN_TOUCH);
            if (_order.Count > 0)
            {
                (_x, _y) = (_fingers[_order[0]].X, _fingers[_order[0]].Y);
            }
        }
    }
}
