using System.Diagnostics;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Time for a server under test: it stands but for <see cref="Step"/>, so that a film is one at any speed, until it runs.</summary>
internal sealed class Clock
{
    private readonly Stopwatch _running = new();
    private long _now = 1_000_000;

    internal long Now => Volatile.Read(ref _now) + _running.ElapsedMilliseconds;

    /// <summary>As long as a picture of a film is shown.</summary>
    internal void Step() => Interlocked.Add(ref _now, 33);

    /// <summary>From now on time goes by.</summary>
    internal void Run() => _running.Start();
}
