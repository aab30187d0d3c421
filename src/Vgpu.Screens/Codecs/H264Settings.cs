namespace Vgpu.Screens;

/// <summary>How an <see cref="IH264Encoder"/> spends bits.</summary>
public sealed record H264Settings
{
    /// <summary>The frame rate to plan for, 1 to 240 a second. Frames may come at any pace.</summary>
    public int FramesPerSecond { get; init; } = 30;

    /// <summary>From 1, coarse, to 100, as good as it gets; used where <see cref="BitsPerSecond"/> is 0.</summary>
    public int Quality { get; init; } = 75;

    /// <summary>The bit rate to keep to at that frame rate, 10,000 to 1,000,000,000; 0: whatever the quality takes.</summary>
    public int BitsPerSecond { get; init; }

    /// <summary>It moves as what a camera takes does, rather than as windows and text do: less is searched for, in half of the time.</summary>
    public bool IsFilm { get; init; }

    /// <summary>Throws <see cref="ArgumentException"/> where a number is out of its range.</summary>
    public void Validate(string parameter)
    {
        if (FramesPerSecond is < 1 or > 240 || Quality is < 1 or > 100 || (BitsPerSecond != 0 && BitsPerSecond is < 10_000 or > 1_000_000_000))
        {
            throw new ArgumentException($"{this} has a number out of range.", parameter);
        }
    }
}
