namespace Vgpu.Gpus.Shares;

/// <summary>What a vGPU has had of its parent's GPU, in nanoseconds. Measured from submission to fence; nothing of it is the guest's word.</summary>
/// <param name="Used">GPU time: while several vGPUs had work in flight, a part of it for each.</param>
/// <param name="Throttled">It wanted to run and might not.</param>
/// <param name="Busy">It had work in flight.</param>
public readonly record struct ShareUse(long Used, long Throttled, long Busy);
