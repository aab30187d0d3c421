using Vgpu.Testing;

namespace Vgpu.VfioUser.Tests.Hostile;

// After each case of the tables, no descriptor, map or thread is left of its client.
[Collection(nameof(Alone))]
public sealed class LeakTests
{
    [Fact]
    public void No_case_leaves_anything_behind()
    {
        using var odd = new OddDescriptors();
        Array.ForEach([.. OddDescriptors.Kinds], kind => _ = odd[kind]);
        Holdings empty = Holdings.Now();
        using (var served = new ServedDevice())
        {
            // The listener and its thread, the device's framebuffer and its doorbells.
            Holdings serving = empty with
            {
                Sockets = empty.Sockets + 1,
                Threads = empty.Threads + 1,
                Memory = empty.Memory + 1,
                Eventfds = empty.Eventfds + served.Device.Doorbells.Length,
            };
            Holdings.AssertBackTo(serving, "the server's start");
            foreach (HostileCase c in HostileCases.All)
            {
                HostileClient.Play(served, c, odd);
                Holdings.AssertBackTo(serving, c.Name);
            }
        }

        Holdings.AssertBackTo(empty, "the server's end");
    }
}
