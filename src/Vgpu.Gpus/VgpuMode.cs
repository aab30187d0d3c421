using Vgpu.Screens;

namespace Vgpu.Gpus;

/// <summary>Which modes an operator may choose for a head, whatever the model.</summary>
public static class VgpuMode
{
    /// <summary>Pixels that a side has at least.</summary>
    public const int MinSide = 64;

    /// <summary>Throws <see cref="ArgumentException"/> with a message for the operator where a head that goes up to <paramref name="max"/> can't have it.</summary>
    public static void Check(DisplayMode mode, DisplayMode max)
    {
        if (mode.Width < MinSide || mode.Height < MinSide || !mode.IsWithin(max))
        {
            throw new ArgumentException(
                $"mode {mode.Width}x{mode.Height}: this type's are {MinSide}x{MinSide} to {max.Width}x{max.Height}");
        }

        if (!mode.IsValid)
        {
            throw new ArgumentException($"refresh of {mode.RefreshHertz} Hz: there is 1 to {DisplayMode.MaxRefreshHertz}");
        }
    }
}
