namespace Vgpu.Gpus.Tests.Shares;

/// <summary>Draws frames of several jobs each, every one of which it waits for, at the pace of a display or as fast as it can.</summary>
internal sealed class Drawing(int jobs, double milliseconds, double interval = 0) : SimulatedVgpu
{
    private int _job;
    private long _begun;
    private long _next;

    /// <summary>How long each frame took, from its first job on, in nanoseconds.</summary>
    internal List<long> FrameTimes { get; } = [];

    protected override long? Next(long now, out long at)
    {
        at = _job == 0 ? _next : 0;
        if (_job == 0 && _begun == 0 && now >= _next)
        {
            _begun = now;
        }

        return InFlight > 0 ? null : (long)(milliseconds * 1e6);
    }

    protected override void Done(long now)
    {
        if (++_job == jobs)
        {
            FrameTimes.Add(now - _begun);
            _next = interval == 0 ? now : Math.Max(now, _begun + (long)(interval * 1e6));
            (_job, _begun) = (0, 0);
        }
    }
}
