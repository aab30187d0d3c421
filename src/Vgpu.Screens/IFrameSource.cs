namespace Vgpu.Screens;

/// <summary>Pixels that nobody announces, such as a mapped framebuffer: asked for damage when somebody looks.</summary>
public interface IFrameSource
{
    /// <summary>
    /// Finds what changed since the last call, brings the surface up to date and reports the damage. Any thread, without
    /// the head's lock.
    /// </summary>
    void Refresh();
}
