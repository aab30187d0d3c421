using Vgpu.Screens;

namespace Vgpu.Cli;

/// <summary>Waits until nothing has been drawn on a head for a while: a guest's console draws on after the guest has spoken.</summary>
internal sealed class QuietHead(Head head) : IDisposable
{
    private readonly HeadChanges _changes = new(head, withCursor: false);

    public void Dispose() => _changes.Dispose();

    /// <summary>
    /// Returns once nothing was drawn for <paramref name="quiet"/>, <paramref name="atMost"/> has passed or
    /// <paramref name="ended"/> is set.
    /// </summary>
    internal void Wait(TimeSpan quiet, TimeSpan atMost, WaitHandle ended)
    {
        long deadline = Environment.TickCount64 + (long)atMost.TotalMilliseconds;
        while (Environment.TickCount64 < deadline && WaitHandle.WaitAny([ended, _changes.Changed], quiet) == 1)
        {
        }
    }
}
