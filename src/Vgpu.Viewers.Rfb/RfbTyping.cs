namespace Vgpu.Viewers.Rfb;

/// <summary>Who of a screen's viewers may type and point.</summary>
public enum RfbTyping
{
    /// <summary>All of them.</summary>
    Everybody,

    /// <summary>The one that has been there longest; when it leaves, the next.</summary>
    First,

    /// <summary>None.</summary>
    Nobody,
}
