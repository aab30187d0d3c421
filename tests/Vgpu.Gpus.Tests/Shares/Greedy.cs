namespace Vgpu.Gpus.Tests.Shares;

/// <summary>Submits whatever it may, all the time or between two times.</summary>
internal sealed class Greedy(Random random, double milliseconds) : SimulatedVgpu
{
    private long _length;

    internal (long From, long Until) Active { get; init; } = (0, long.MaxValue);

    protected override long? Next(long now, out long at)
    {
        at = Active.From;
        _length = _length == 0 ? (long)(milliseconds * 1e6 * (0.75 + (0.5 * random.NextDouble()))) : _length;
        return now < Active.Until ? _length : null;
    }

    protected override void Take() => _length = 0;
}
