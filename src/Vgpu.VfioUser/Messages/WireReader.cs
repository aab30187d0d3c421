using System.Runtime.InteropServices;

namespace Vgpu.VfioUser.Messages;

/// <summary>
/// Takes fixed-layout structures off the front of received bytes. A structure is copied out whole, so that what is
/// checked is what is used; nothing is read past the end.
/// </summary>
internal ref struct WireReader
{
    private ReadOnlySpan<byte> _rest;

    public WireReader(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>Copies the next structure; false, and nothing read, where fewer bytes are left than it has.</summary>
    public bool TryRead<T>(out T value)
        where T : unmanaged
    {
        if (!MemoryMarshal.TryRead(_rest, out value))
        {
            return false;
        }

        _rest = _rest[SizeOf<T>()..];
        return true;
    }

    // Sound: sizeof of an unmanaged type touches no memory.
    private static unsafe int SizeOf<T>()
        where T : unmanaged => sizeof(T);
}
