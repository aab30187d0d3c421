namespace Vgpu.Viewers.Rfb;

/// <summary>Lines that strangers can cause: so many in a while, the rest are counted. Any thread.</summary>
internal sealed class LogBudget(int lines, TimeSpan span)
{
    private readonly Lock _lock = new();
    private long _until = long.MinValue;
    private int _left;
    private int _skipped;

    /// <summary>Whether a line may be written; <paramref name="skipped"/>: lines left out since the last one, to be told first.</summary>
    internal bool TryTake(out int skipped)
    {
        lock (_lock)
        {
            skipped = 0;
            long now = Environment.TickCount64;
            if (now >= _until)
            {
                _until = now + (long)span.TotalMilliseconds;
                _left = lines;
            }

            if (_left == 0)
            {
                _skipped++;
                return false;
            }

            _left--;
            skipped = _skipped;
            _skipped = 0;
            return true;
        }
    }
}
