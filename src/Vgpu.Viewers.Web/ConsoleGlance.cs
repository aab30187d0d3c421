using Vgpu.Screens;

namespace Vgpu.Viewers.Web;

/// <summary>What a screen shows at one moment.</summary>
/// <param name="Generation">Another number for another picture (<see cref="Head.Generation"/>).</param>
/// <param name="Picture">With the cursor drawn in; null: still the picture of the generation that was asked about.</param>
public sealed record ConsoleGlance(ulong Generation, Picture? Picture);
