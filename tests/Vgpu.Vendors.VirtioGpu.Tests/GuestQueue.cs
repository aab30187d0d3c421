// A driver's side of one split virtqueue (virtio 1.2, 2.7), in guest memory, one chain at a time.
using System.Buffers.Binary;
using Vgpu.Linux;

namespace Vgpu.Vendors.VirtioGpu.Tests;

internal sealed unsafe class GuestQueue(byte* ram, ulong ramIova, ulong offset, ushort size, EventFd interrupt) : IDisposable
{
    private const ulong AvailableOffset = 0x1000;
    private const ulong UsedOffset = 0x2000;
    private const int TimeoutMilliseconds = 30_000;
    private ushort _next;

    internal ulong Descriptors => ramIova + offset;

    internal ulong Available => ramIova + offset + AvailableOffset;

    internal ulong Used => ramIova + offset + UsedOffset;

    internal ushort Size => size;

    internal EventFd Interrupt => interrupt;

    private byte* Base => ram + offset;

    // The index that the device writes.
    private ushort UsedIndex => Volatile.Read(ref *(ushort*)(Base + UsedOffset + 2));

    internal void Reset()
    {
        new Span<byte>(Base, 0x4000).Clear();
        _next = 0;
        _ = interrupt.Take();
    }

    /// <summary>Makes one chain of a readable and a writable part available; a part of no length is left out.</summary>
    internal void Offer(ulong request, uint requestLength, ulong response, uint responseLength)
    {
        Span<byte> table = new(Base, 16 * size);
        bool both = requestLength != 0 && responseLength != 0;
        Describe(table, requestLength != 0 ? request : response, requestLength != 0 ? requestLength : responseLength,
            (ushort)((requestLength != 0 ? 0 : 2) | (both ? 1 : 0)), 1);
        if (both)
        {
            Describe(table[16..], response, responseLength, 2, 0);
        }

        ushort* ring = (ushort*)(Base + AvailableOffset);
        ring[2 + (_next % size)] = 0;
        _next++;
        Volatile.Write(ref ring[1], _next);
    }

    /// <summary>Waits until the device has returned what was offered; the bytes that it says to have written.</summary>
    internal uint WaitUsed()
    {
        while (UsedIndex != _next)
        {
            Assert.True(interrupt.Wait(TimeoutMilliseconds), "the device did not answer");
            _ = interrupt.Take();
        }

        return *(uint*)(Base + UsedOffset + 4 + (8 * (ulong)((ushort)(_next - 1) % size)) + 4);
    }

    public void Dispose() => interrupt.Dispose();

    private static void Describe(Span<byte> entry, ulong address, uint length, ushort flags, ushort next)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(entry, address);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], length);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[14..], next);
    }
}
