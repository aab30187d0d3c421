namespace Vgpu.Bench;

/// <summary>A benchmark can't be run here; the message says why, in one line.</summary>
public sealed class BenchmarkException(string message) : Exception(message);
