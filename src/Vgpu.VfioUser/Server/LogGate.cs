namespace Vgpu.VfioUser.Server;

/// <summary>
/// Bounds what hostile clients can make a server log: at most <see cref="Burst"/> lines in any
/// <see cref="WindowMilliseconds"/>, over all its connections. Any thread.
/// </summary>
internal sealed class LogGate
{
    internal const int Burst = 20;
    internal const int WindowMilliseconds = 10_000;

    private readonly Lock _lock = new();
    private long _windowStart = Environment.TickCount64;
    private int _lines;

    /// <summary>Whether a line may be logged now; counts it.</summary>
    internal bool TryEnter()
    {
        lock (_lock)
        {
            long now = Environment.TickCount64;
            if (now - _windowStart >= WindowMilliseconds)
            {
                _windowStart = now;
                _lines = 0;
            }

            return _lines++ < Burst;
        }
    }
}
