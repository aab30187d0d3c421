namespace Vgpu.Viewers.Rfb;

/// <summary>Neighbouring lines that moved together, within neighbouring strips.</summary>
internal record struct LineRun(int Line, int Lines, int Strip, int Strips);
