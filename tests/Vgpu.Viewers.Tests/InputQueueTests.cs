using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Viewers.Tests;

public sealed class InputQueueTests
{
    [Fact]
    public void A_full_queue_loses_what_is_new_but_no_release()
    {
        using var bell = new Bell();
        var queue = new InputQueue(bell);
        queue.Send([InputEvent.Key(42, true), InputEvent.Button(272, true)]);
        queue.Send([InputEvent.Touch(0, 3, true, 1, 1, 10, 10)]);
        for (int i = 0; i < 2 * InputQueue.Capacity; i++)
        {
            queue.Send([InputEvent.Scroll(0, i)]);
        }

        // The press is lost, and so its release has nothing to end.
        queue.Send([InputEvent.Key(30, true)]);
        queue.Send([InputEvent.Key(30, false)]);
        queue.Send([InputEvent.Key(42, false), InputEvent.Scroll(1, 1)]);
        queue.Send([InputEvent.Button(272, false)]);
        queue.Send([InputEvent.Touch(0, 3, false, 2, 2, 10, 10)]);
        queue.Send([InputEvent.Key(42, false)]);

        List<InputEvent[]> taken = Drain(queue);
        Assert.Equal([InputEvent.Key(42, true), InputEvent.Button(272, true)], taken[0]);
        Assert.Equal([[InputEvent.Key(42, false)], [InputEvent.Button(272, false)], [InputEvent.Touch(0, 3, false, 2, 2, 10, 10)]], taken[^3..]);
        Assert.Equal(InputQueue.Capacity + 3, taken.Sum(moment => moment.Length));
    }

    [Fact]
    public void All_that_can_be_held_can_be_released_from_a_full_queue()
    {
        using var bell = new Bell();
        var queue = new InputQueue(bell);
        for (ushort code = 1; code <= InputEvent.MaxCode; code++)
        {
            queue.Send([InputEvent.Key(code, true)]);
            Drain(queue);
            queue.Send([InputEvent.Button(code, true)]);
            Drain(queue);
        }

        for (int i = 0; i < 2 * InputQueue.Capacity; i++)
        {
            queue.Send([InputEvent.Scroll(0, i)]);
        }

        for (ushort code = 1; code <= InputEvent.MaxCode; code++)
        {
            queue.Send([InputEvent.Key(code, false), InputEvent.Button(code, false)]);
        }

        Assert.Equal(InputQueue.Capacity + (2 * InputEvent.MaxCode), Drain(queue).Sum(moment => moment.Length));
    }

    [Fact]
    public void A_pointer_that_moves_fills_no_queue()
    {
        using var bell = new Bell();
        var queue = new InputQueue(bell);
        for (int i = 0; i < 10_000; i++)
        {
            queue.Send([InputEvent.Pointer(0, i, i, 10_000, 10_000)]);
        }

        queue.Send([InputEvent.Key(30, true)]);
        List<InputEvent[]> taken = Drain(queue);
        Assert.InRange(taken.Count, 2, 40);
        Assert.Equal([InputEvent.Pointer(0, 9999, 9999, 10_000, 10_000)], taken[^2]);
        Assert.Equal([InputEvent.Key(30, true)], taken[^1]);
    }

    [Fact]
    public void What_is_not_valid_or_too_much_for_one_moment_does_no_harm()
    {
        using var bell = new Bell();
        var queue = new InputQueue(bell);
        queue.Send([new InputEvent(InputKind.Key, 0, 0xffff, 1, 0, 0), new InputEvent((InputKind)9, 0, 1, 1, 0, 0)]);
        queue.Send([]);
        Assert.Empty(Drain(queue));
        InputEvent[] many = [.. Enumerable.Range(1, 80).Select(i => InputEvent.Key((ushort)i, true))];
        queue.Send(many);
        List<InputEvent[]> taken = Drain(queue);
        Assert.Equal([FeedProtocol.MaxEvents, FeedProtocol.MaxEvents, 16], taken.Select(moment => moment.Length));
        Assert.Equal(many, taken.SelectMany(moment => moment));
    }

    private static List<InputEvent[]> Drain(InputQueue queue)
    {
        var taken = new List<InputEvent[]>();
        var events = new InputEvent[FeedProtocol.MaxEvents];
        while (queue.Take(events) is var count and > 0)
        {
            taken.Add(events[..count]);
        }

        return taken;
    }
}
