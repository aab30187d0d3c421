namespace Vgpu.Host.Virgl.Tests;

/// <summary>Tests that share the process's one renderer, and its thread.</summary>
[CollectionDefinition(nameof(Rendering), DisableParallelization = true)]
public sealed class Rendering : ICollectionFixture<RendererThread>;
