namespace Vgpu.Fuzz;

/// <summary>
/// Something that takes any bytes at all. The same bytes do the same each time: nothing of one input is left for the next.
/// </summary>
public interface IFuzzTarget : IDisposable
{
    /// <summary>What it is called, and its folder of the corpus.</summary>
    string Name { get; }

    /// <summary>Inputs that are as they should be: where a corpus begins.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Plays one input; throws <see cref="FindingException"/>, or anything else, where something is wrong with us.</summary>
    void Run(ReadOnlySpan<byte> input);
}
