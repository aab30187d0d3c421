namespace Vgpu.Screens;

/// <summary>The outputs of one vGPU.</summary>
public sealed class Screen
{
    /// <summary>The most heads: virtio-gpu's VIRTIO_GPU_MAX_SCANOUTS.</summary>
    public const int MaxHeads = 16;

    /// <summary>
    /// A screen of <paramref name="headCount"/> heads (1 to 16), of which the first is connected. Throws
    /// <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    public Screen(int headCount, DisplayMode preferred)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headCount, MaxHeads);
        preferred.Validate(nameof(preferred));
        var heads = new Head[headCount];
        for (int i = 0; i < headCount; i++)
        {
            heads[i] = new Head(i, isConnected: i == 0, preferred);
        }

        Heads = heads;
    }

    /// <summary>The heads by index. The list does not change.</summary>
    public IReadOnlyList<Head> Heads { get; }
}
