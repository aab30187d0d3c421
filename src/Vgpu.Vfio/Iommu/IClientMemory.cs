using Vgpu.Linux;

namespace Vgpu.Vfio.Iommu;

/// <summary>
/// The way to memory that a client has mapped and does not share: it is asked for the bytes. Any thread that holds no
/// lock, as each call waits for the client. The ranges were checked against the maps. Allocates nothing.
/// </summary>
public interface IClientMemory
{
    /// <summary>Reads; the client's errno, or ETIMEDOUT, ECONNRESET, EDEADLK where it can't be asked from this thread now.</summary>
    Errno Read(ulong iova, Span<byte> data);

    /// <summary>Writes; errors as for <see cref="Read"/>.</summary>
    Errno Write(ulong iova, ReadOnlySpan<byte> data);
}
