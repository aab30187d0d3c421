// Guests that give bad buffers, break the rings, reset amid everything and notify without end.
using Vgpu.Screens;
using Vgpu.Testing;
using static Vgpu.Screens.InputEvent;
using static Vgpu.Virtio.VirtioFeatures;
using static Vgpu.Virtio.VirtioRing;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class HostileTests
{
    private const ushort KeyA = 30;

    [Fact]
    public void A_buffer_that_no_event_fits_into_goes_back_empty_and_the_event_waits()
    {
        var log = new ListLogger();
        using var guest = new InputGuest(VirtioInputKind.Keyboard, log: log).Start(buffers: 0);
        guest.Sink.Send([Key(KeyA, true)]);
        for (int i = 0; i < 10; i++)
        {
            guest.Events.Add(i % 2 == 0 ? new GuestBuffer(guest.Buffers, 7, Writable: true) : new GuestBuffer(guest.Buffers, 8));
        }

        guest.Driver.Kick(guest.Events);
        guest.Driver.WaitUsed(guest.Events, 10);
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(0u, guest.Events.UsedEntry(i).Written));
        guest.Taken = 10;
        guest.Give(2);
        Assert.Equal("1.1e=1 0.0=0", guest.Take(2));
        Assert.Equal(1, log.Count("no event fits into"));
    }

    [Fact]
    public void A_buffer_may_lie_in_pieces_and_behind_a_readable_part()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 0);
        GuestBuffer[] pieces = [new GuestBuffer(guest.StatusBuffer, 16), .. Enumerable.Range(0, 8).Select(i => new GuestBuffer(guest.Buffers + (ulong)(2 * i), 1, Writable: true))];
        guest.Events.Add(pieces);
        guest.Sink.Send([Key(KeyA, true)]);
        guest.Driver.Kick(guest.Events);
        guest.Driver.WaitUsed(guest.Events, 1);
        Assert.Equal(8u, guest.Events.UsedEntry(0).Written);
        byte[] written = [.. Enumerable.Range(0, 8).Select(i => guest.Guest.At(guest.Buffers + (ulong)(2 * i), 1)[0])];
        Assert.Equal([1, 0, (byte)KeyA, 0, 1, 0, 0, 0], written);
    }

    [Fact]
    public void A_loop_ends_the_queue_until_a_reset_and_holds_nobody_up()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 0);
        guest.Sink.Send([Key(KeyA, true)]);
        guest.Events.Set(0, guest.Buffers, 1, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
        guest.Events.Set(1, guest.Buffers, 1, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 0);
        guest.Events.Offer(0);
        guest.Driver.Kick(guest.Events);
        guest.Driver.WaitFor(() => guest.Driver.NeedsReset);
        for (int i = 0; i < 1000; i++)
        {
            guest.Sink.Send([Key(KeyA, i % 2 == 0)]);
        }

        guest.Start();
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
    }

    [Fact]
    public void Two_events_a_buffer_are_one_event()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(buffers: 0);
        guest.Events.Add(new GuestBuffer(guest.Buffers, 64, Writable: true));
        guest.Events.Add(new GuestBuffer(guest.Buffers + 64, 64, Writable: true));
        guest.Sink.Send([Key(KeyA, true)]);
        Assert.Equal("1.1e=1 0.0=0", guest.Take(2));
    }

    [Fact]
    public void With_the_event_index_a_driver_is_told_and_tells_as_it_asked()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start(64, InputGuest.Features | VIRTIO_F_EVENT_IDX);
        var model = new GuestModel(VirtioInputKind.Keyboard);
        for (int i = 0; i < 1000; i++)
        {
            guest.Events.UsedEvent = guest.Taken;
            guest.Sink.Send([Key(KeyA, i % 2 == 0)]);
            string expected = i % 2 == 0 ? $"[{KeyA}]" : "[]";
            while (!model.ToString().StartsWith(expected, StringComparison.Ordinal))
            {
                ushort before = guest.Taken;
                guest.TakeAll().ForEach(model.Apply);
                guest.Events.UsedEvent = guest.Taken;
                if (before == guest.Taken && guest.Events.UsedIndex == guest.Taken)
                {
                    guest.Driver.WaitEvent();
                    guest.Driver.EndOfInterrupt();
                }
            }
        }
    }

    [Theory]
    [InlineData(VirtioInputKind.Keyboard, 1)]
    [InlineData(VirtioInputKind.Tablet, 2)]
    [InlineData(VirtioInputKind.Touch, 3)]
    public void Whatever_a_driver_does_to_its_queues_the_next_one_finds_a_device_that_works(VirtioInputKind kind, int seed)
    {
        var random = new Random(seed);
        var log = new ListLogger();
        using var guest = new InputGuest(kind, log: log);
        var campaign = Campaign.Short();
        while (campaign.Next())
        {
            guest.Start(random.Next(65));
            for (int i = random.Next(30); i > 0; i--)
            {
                Break(guest, random);
                guest.Sink.Send([RandomInput.Next(random, kind), RandomInput.Next(random, kind)]);
            }
        }

        guest.Start();
        InputEvent press = kind switch
        {
            VirtioInputKind.Keyboard => Key(KeyA, true),
            VirtioInputKind.Tablet => Button(InputEventCodes.BTN_LEFT, true),
            _ => Touch(0, 0, true, 0, 0, 1, 1),
        };
        Assert.NotEmpty(guest.Frame(press));
        Assert.Equal(0, log.Count("device model failed"));
    }

    [Fact]
    public void Storms_of_notifications_resets_and_events_at_once_leave_it_working()
    {
        using var guest = new InputGuest(VirtioInputKind.Keyboard).Start();
        using var ended = new ManualResetEventSlim();
        Thread[] senders = [.. Enumerable.Range(0, 3).Select(number => new Thread(() =>
        {
            for (int i = 0; !ended.IsSet; i++)
            {
                guest.Sink.Send([Key((ushort)(KeyA + number), i % 2 == 0)]);
            }
        }))];
        Array.ForEach(senders, sender => sender.Start());
        var campaign = Campaign.Short();
        while (campaign.Next())
        {
            guest.Start(campaign.Rounds % 65);
            for (int i = 0; i < 100; i++)
            {
                guest.Driver.Kick(i % 2 == 0 ? guest.Events : guest.Status);
            }
        }

        ended.Set();
        Array.ForEach(senders, sender => sender.Join());
        guest.Start();
        Assert.Equal("1.1e=1", guest.Frame(Key(KeyA, true)));
    }

    private static void Break(InputGuest guest, Random random)
    {
        FakeQueue queue = random.Next(3) == 0 ? guest.Status : guest.Events;
        switch (random.Next(8))
        {
            case 0:
                queue.Set(random.Next(64), guest.Buffers + (ulong)random.Next(4096), (uint)random.Next(20), random.Next(8), random.Next(70));
                break;
            case 1:
                queue.Offer((ushort)random.Next(70));
                break;
            case 2:
                queue.AvailableIndex += (ushort)random.Next(80);
                break;
            case 3:
                guest.Driver.Write8(0, InputGuest.Config + random.Next(140), (byte)random.Next(256));
                break;
            case 4:
                queue.Add(new GuestBuffer(guest.Buffers, (uint)random.Next(1, 16), random.Next(2) == 0));
                break;
            default:
                queue.Add(new GuestBuffer(guest.Buffers, 8, ReferenceEquals(queue, guest.Events)));
                break;
        }

        guest.Driver.Kick(queue);
    }
}
