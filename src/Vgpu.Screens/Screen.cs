namespace Vgpu.Screens;

/// <summary>The outputs of one vGPU.</summary>
public sealed class Screen
{
    /// <summary>The most heads: virtio-gpu's VIRTIO_GPU_MAX_SCANOUTS.</summary>
    public const int MaxHeads = 16;

    private IInputSink? _input;

    /// <summary>
    /// A screen of <paramref name="headCount"/> heads (1 to 16), of which the first is connected. Throws
    /// <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    /// <param name="headCount">1 to 16.</param>
    /// <param name="preferred">What every monitor prefers.</param>
    /// <param name="max">The longest sides that a head may have; null: any.</param>
    public Screen(int headCount, DisplayMode preferred, DisplayMode? max = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headCount, MaxHeads);
        preferred.Validate(nameof(preferred));
        DisplayMode largest = max ?? new DisplayMode(DisplayMode.MaxSize, DisplayMode.MaxSize);
        largest.Validate(nameof(max));
        var heads = new Head[headCount];
        for (int i = 0; i < headCount; i++)
        {
            heads[i] = new Head(i, isConnected: i == 0, preferred, largest);
        }

        Heads = heads;
    }

    /// <summary>The heads by index. The list does not change.</summary>
    public IReadOnlyList<Head> Heads { get; }

    /// <summary>Where what people do here goes; null: nobody takes it. Any thread.</summary>
    public IInputSink? Input
    {
        get => Volatile.Read(ref _input);
        set => Volatile.Write(ref _input, value);
    }
}
