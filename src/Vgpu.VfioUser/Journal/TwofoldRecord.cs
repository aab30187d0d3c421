namespace Vgpu.VfioUser.Journal;

/// <summary>
/// A structure in shared memory that is replaced as a whole by one aligned store: two copies, and a generation whose lowest
/// bit says which of them counts. Whoever dies between two instructions leaves the old one or the new one. One writer.
/// </summary>
/// <remarks>
/// The writer knows what it wrote and reads nothing back. A reader takes a copy and checks it: the writer may be hostile.
/// </remarks>
internal sealed unsafe class TwofoldRecord<T>
    where T : unmanaged
{
    private const int CacheLine = 64;

    private readonly ulong* _generation;
    private ulong _next;

    /// <summary>What the next <see cref="Commit"/> makes true.</summary>
    internal T Value;

    /// <summary>A record in <see cref="Length"/> bytes that stay mapped while this is used; 0s are a default value.</summary>
    internal TwofoldRecord(byte* memory)
    {
        _generation = (ulong*)memory;
        _next = *_generation + 1;
    }

    internal static int Length => CacheLine + (2 * Stride);

    private static int Stride => (sizeof(T) + CacheLine - 1) & ~(CacheLine - 1);

    /// <summary>Makes <see cref="Value"/> the one that counts.</summary>
    internal void Commit()
    {
        *Copy(_next) = Value;

        // The copy is complete before the store that makes it count, also to the compiler.
        Volatile.Write(ref *_generation, _next++);
    }

    /// <summary>What counts now, whoever writes it meanwhile; no more than a guess with a hostile writer.</summary>
    internal T Read()
    {
        const int attempts = 100;
        T value = default;
        for (int i = 0; i < attempts; i++)
        {
            ulong before = Volatile.Read(ref *_generation);
            value = *Copy(before);
            Volatile.ReadBarrier();
            if (*_generation == before)
            {
                break;
            }
        }

        return value;
    }

    /// <summary>A successor goes on from what is there.</summary>
    internal void TakeOver()
    {
        _next = *_generation + 1;
        Value = Read();
    }

    // Sound: the constructor was given memory for both copies.
    private T* Copy(ulong generation) => (T*)((byte*)_generation + CacheLine + ((int)(generation & 1) * Stride));
}
