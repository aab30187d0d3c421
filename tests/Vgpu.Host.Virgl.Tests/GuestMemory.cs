using System.Runtime.InteropServices;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Host.Virgl.Tests;

/// <summary>Memory behind a resource: one piece here, which the renderer is given in as many as a test likes.</summary>
internal sealed unsafe class GuestMemory : IDisposable
{
    // What nothing may write to, before and behind.
    private const int Guard = 64;
    private const byte GuardByte = 0x5a;

    private readonly byte* _memory;
    private readonly int _length;

    public GuestMemory(int length)
    {
        _length = length;
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)length + (2 * Guard));
        new Span<byte>(_memory, Guard).Fill(GuardByte);
        new Span<byte>(_memory + Guard + length, Guard).Fill(GuardByte);
    }

    public Span<byte> Bytes => new(_memory + Guard, _length);

    public Span<uint> Pixels => MemoryMarshal.Cast<byte, uint>(Bytes);

    /// <summary>In pieces of these lengths, and one of the rest.</summary>
    public HostRun[] Runs(params int[] lengths)
    {
        var runs = new List<HostRun>();
        int at = 0;
        foreach (int length in lengths.Append(_length - lengths.Sum()))
        {
            runs.Add(new HostRun((ulong)at, (nint)(_memory + Guard + at), (ulong)length));
            at += length;
        }

        return [.. runs];
    }

    public void Dispose()
    {
        Assert.False(new Span<byte>(_memory, Guard).ContainsAnyExcept(GuardByte), "something was written before the memory");
        Assert.False(new Span<byte>(_memory + Guard + _length, Guard).ContainsAnyExcept(GuardByte), "something was written behind the memory");
        NativeMemory.Free(_memory);
    }
}
