using System.Runtime.InteropServices;

namespace Vgpu.Bus.Workers;

/// <summary>The first word of a worker, and of one that has been through its warm-up, the second.</summary>
internal readonly record struct WorkerHello(uint Version, bool IsWarm)
{
    internal static byte[] Format(bool isWarm) => [.. InstanceRecord.Bytes(WorkerChannel.Version), isWarm ? (byte)1 : (byte)0];

    /// <summary>Throws <see cref="InvalidDataException"/>.</summary>
    internal static WorkerHello Parse(ReadOnlySpan<byte> bytes) => bytes.Length == 5
        ? new WorkerHello(MemoryMarshal.Read<uint>(bytes), bytes[4] != 0)
        : throw new InvalidDataException("no hello");
}
