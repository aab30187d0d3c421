namespace Vgpu.Bench.Screens;

/// <summary>One scene on one server, looked at by one viewer.</summary>
/// <param name="CpuPerFrame">Milliseconds of the server's processes for each picture that was seen.</param>
/// <param name="KilobytesPerSecond">What the viewer received.</param>
/// <param name="FramesPerSecond">Different pictures that it saw.</param>
/// <param name="PaintedPerSecond">What there was to see.</param>
/// <param name="Latencies">From a key that the viewer sent to the picture that shows it, milliseconds.</param>
internal sealed record ScreenMeasurement(
    double CpuPerFrame, double KilobytesPerSecond, double FramesPerSecond, double PaintedPerSecond, IReadOnlyList<double> Latencies)
{
    /// <summary>The value that one part in so many of the latencies is above: 0.5, 0.99.</summary>
    internal static double Percentile(IEnumerable<double> values, double part)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[(int)Math.Ceiling(part * sorted.Length) - 1];
    }
}
