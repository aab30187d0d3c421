namespace Vgpu.VfioUser.Tests;

/// <summary>Tests that count what the whole process holds, or that use all of the machine: nothing runs beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
