using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>Waits for what a guest does in its own time: woken by what is drawn, bounded by a deadline.</summary>
public static class Eventually
{
    /// <summary>Returns once <paramref name="condition"/> holds, looked at after each change of the head; fails the test at the deadline.</summary>
    public static void Shows(Head head, Func<Picture, bool> condition, string what, int timeoutSeconds = 60)
    {
        using var changes = new HeadChanges(head);
        long deadline = Environment.TickCount64 + (timeoutSeconds * 1000L);
        while (true)
        {
            if (head.Capture(withCursor: false) is Picture picture && condition(picture))
            {
                return;
            }

            Assert.True(Environment.TickCount64 < deadline, $"after {timeoutSeconds} s the screen does not show {what}");
            _ = changes.Changed.WaitOne(250);
        }
    }

    /// <summary>Returns once the head shows this picture: where the guest's driver does not wait for the device to have drawn.</summary>
    public static void Shows(Head head, Picture expected, bool withCursor = false)
    {
        using var changes = new HeadChanges(head);
        long deadline = Environment.TickCount64 + 60_000;
        while (true)
        {
            Picture? picture = head.Capture(withCursor);
            if (picture is not null && (PictureAssert.AreSame(expected, picture) || Environment.TickCount64 > deadline))
            {
                PictureAssert.Same(expected, picture);
                return;
            }

            Assert.True(Environment.TickCount64 < deadline, "the screen shows nothing");
            _ = changes.Changed.WaitOne(250);
        }
    }

    /// <summary>Returns once <paramref name="condition"/> holds; fails the test where it does not in time.</summary>
    public static void Holds(Func<bool> condition, string what, int timeoutSeconds = 60) => Holds(condition, () => what, timeoutSeconds);

    /// <summary>The same, where what to say of it is known only then.</summary>
    public static void Holds(Func<bool> condition, Func<string> what, int timeoutSeconds = 60)
    {
        if (!SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(timeoutSeconds)))
        {
            Assert.Fail($"not within {timeoutSeconds} s: {what()}");
        }
    }
}
