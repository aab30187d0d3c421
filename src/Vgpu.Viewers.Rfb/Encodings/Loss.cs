namespace Vgpu.Viewers.Rfb;

/// <summary>How much a picture may lose: libjpeg's <paramref name="Quality"/>, 1 to 100, or 0 for nothing at all, and whether colours may be shared by 2x2 pixels.</summary>
internal readonly record struct Loss(byte Quality, bool Subsample)
{
    // For each of the protocol's levels. What stays still becomes exact a moment later, so that a level is for what is seen
    // meanwhile: nearly as good as TigerVNC's where something changes now and then, and coarser where it moves like a film.
    private static readonly byte[] s_still = [15, 29, 41, 42, 55, 62, 70, 75, 80, 95];
    private static readonly byte[] s_moving = [12, 16, 20, 24, 28, 32, 35, 38, 40, 75];

    internal static Loss None => default;

    internal bool IsNone => Quality == 0;

    /// <summary><paramref name="level"/> is the protocol's, 0 to 9; -1: nothing may be lost.</summary>
    internal static Loss At(int level, bool isMoving) =>
        level < 0 ? None : new Loss((isMoving ? s_moving : s_still)[level], level < 9);
}
