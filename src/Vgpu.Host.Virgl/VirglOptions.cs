namespace Vgpu.Host.Virgl;

/// <summary>What an operator chooses of a renderer.</summary>
public sealed record VirglOptions
{
    /// <summary>
    /// The host GPU, for example <c>/dev/dri/renderD128</c>; null: what Mesa takes without a screen, llvmpipe where there is no GPU.
    /// </summary>
    public string? RenderNode { get; init; }
}
