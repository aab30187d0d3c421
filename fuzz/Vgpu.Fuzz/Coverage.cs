using System.Numerics;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace Vgpu.Fuzz;

/// <summary>
/// Which branches the instrumented assemblies took, and about how often: a byte a pair of branches, written by SharpFuzz's
/// probes. One input at a time.
/// </summary>
internal sealed unsafe class Coverage
{
    private const int Size = 1 << 16;

    // Sound: allocated once for as long as the process lives, as long as the probes take it to be.
    private readonly byte* _map = (byte*)NativeMemory.AllocZeroed(Size);
    private readonly byte[] _seen = new byte[Size];

    internal Coverage() => Trace.SharedMem = _map;

    /// <summary>Pairs of branches seen so far, each number of times counted by its order of magnitude.</summary>
    internal int Count { get; private set; }

    /// <summary>Forgets the last input.</summary>
    internal void Clear()
    {
        new Span<byte>(_map, Size).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>What the last input showed that was never seen before: places in the map with orders of magnitude.</summary>
    internal Dictionary<int, byte> New()
    {
        var found = new Dictionary<int, byte>();
        for (int i = 0; i < Size; i++)
        {
            if (_map[i] != 0 && (byte)(Magnitude(_map[i]) & ~_seen[i]) is byte added and not 0)
            {
                found[i] = added;
            }
        }

        return found;
    }

    /// <summary>Whether the last input showed all of this.</summary>
    internal bool Shows(Dictionary<int, byte> wanted)
    {
        foreach ((int place, byte magnitude) in wanted)
        {
            if ((Magnitude(_map[place]) & magnitude) != magnitude)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Leaves of <paramref name="wanted"/> what the last input showed too.</summary>
    internal void Keep(Dictionary<int, byte> wanted)
    {
        foreach (int place in wanted.Keys.ToArray())
        {
            wanted[place] &= Magnitude(_map[place]);
            if (wanted[place] == 0)
            {
                wanted.Remove(place);
            }
        }
    }

    /// <summary>From now on this is nothing new.</summary>
    internal void Add(Dictionary<int, byte> found)
    {
        foreach ((int place, byte magnitude) in found)
        {
            Count += BitOperations.PopCount((uint)(magnitude & ~_seen[place]));
            _seen[place] |= magnitude;
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Forget()
    {
        _seen.AsSpan().Clear();
        Count = 0;
    }

    private static byte Magnitude(byte count) => count == 0 ? (byte)0 : (byte)(1 << BitOperations.Log2(count));
}
