using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vendors.VirtioInput.Tests;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(VirtioInputKind.Keyboard, false)]
    [InlineData(VirtioInputKind.Tablet, true)]
    [InlineData(VirtioInputKind.Touch, true)]
    public void Events_allocate_nothing_on_their_way(VirtioInputKind kind, bool isKept)
    {
        using var file = new CheckpointFile();
        using var guest = new InputGuest(kind);
        if (isKept)
        {
            file.Keep(guest.Function);
        }

        guest.Start(buffers: 0);
        int wrong = Frames(guest, 300);
        long least = Allocations.Least(() => wrong += Frames(guest, 200));
        Assert.Equal(0, wrong);
        Assert.Equal(0, least);
    }

    // A buffer at a time, and never enough of them: frames are dropped and their differences follow. Waiting by looking, as
    // the assertions and collections of the other tests allocate.
    private static int Frames(InputGuest guest, int count)
    {
        int wrong = 0;
        for (int i = 0; i < count; i++)
        {
            guest.Sink.Send([
                InputEvent.Key((ushort)(1 + (i % 80)), i % 3 == 0), InputEvent.Button(InputEventCodes.BTN_LEFT, i % 2 == 0),
                InputEvent.Pointer(0, i, i, count, count), InputEvent.Scroll(i, -i), InputEvent.Touch(0, i % 10, i % 7 != 0, i, i, count, count),
            ]);
            if (!guest.Device.HasEvent)
            {
                continue;
            }

            ushort used = guest.Events.UsedIndex;
            guest.Events.Add(new GuestBuffer(guest.Buffers, 8, Writable: true));
            guest.Driver.Kick(guest.Events);
            long deadline = Environment.TickCount64 + FakeDriver.Timeout;
            while (guest.Events.UsedIndex == used && Environment.TickCount64 < deadline)
            {
                Thread.SpinWait(20);
            }

            wrong += guest.Events.UsedIndex == used ? 1 : 0;
        }

        return wrong;
    }
}
