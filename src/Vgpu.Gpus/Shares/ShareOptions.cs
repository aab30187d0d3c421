namespace Vgpu.Gpus.Shares;

/// <summary>How the vGPUs of one parent take turns; named and bounded as vGPU schedulers of the field are (NVML, nvmlVgpuSchedulerParams_t).</summary>
public sealed record ShareOptions
{
    /// <summary>Nanoseconds.</summary>
    public const long MinTimeSlice = 1_000_000;

    /// <summary>Nanoseconds.</summary>
    public const long MaxTimeSlice = 30_000_000;

    public const int MaxAveragingFactor = 60;

    /// <summary>
    /// How long a vGPU may begin work before the next has its turn, in nanoseconds; 1 to 30 ms. Short ones keep frames even, long
    /// ones lose less between turns.
    /// </summary>
    public long TimeSlice { get; init; } = 2_000_000;

    /// <summary>
    /// 1 to 60: over how many jobs of a vGPU their length is averaged, by which it is foreseen that one would overshoot its slice;
    /// also over how many slices a fixed share may catch up with what it could not have. A large one is less strict.
    /// </summary>
    public int AveragingFactor { get; init; } = 33;

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/>.</summary>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(TimeSlice, MinTimeSlice);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(TimeSlice, MaxTimeSlice);
        ArgumentOutOfRangeException.ThrowIfLessThan(AveragingFactor, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(AveragingFactor, MaxAveragingFactor);
    }
}
