namespace Vgpu.Viewers.Rfb;

/// <summary>Which pictures of a film a viewer has: those of <paramref name="Stream"/> before the one that is numbered <paramref name="Next"/>.</summary>
internal readonly record struct FilmSeat(FilmStream? Stream, ulong Next);
