namespace Vgpu.Gpus.Tests.Shares;

/// <summary>Submits without an end: tiny jobs by the hundred, so that few foresee the long ones that follow at once.</summary>
internal sealed class Hostile(double longest) : SimulatedVgpu
{
    private int _job;

    protected override long? Next(long now, out long at)
    {
        at = 0;
        return (long)(1e6 * (_job % 100 < 96 ? 0.05 : longest));
    }

    protected override void Take() => _job++;
}
