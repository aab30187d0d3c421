// A device that numbers its chains: one that is worked on twice, or not at all, is seen in the numbers.
using System.Buffers.Binary;
using Vgpu.Vfio.Migration;

namespace Vgpu.Virtio.Tests;

internal sealed class CountingDevice : EchoDevice, IVfioMigratable
{
    /// <summary>A request whose first byte is this changes nothing and is answered with the number of those before it.</summary>
    public const byte Look = 0;

    private ulong _count;

    /// <summary>Called when the state is saved.</summary>
    public Action? Saved { get; set; }

    public long MaxStateLength => sizeof(ulong) + Config.Length;

    public override void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain)
    {
        Span<byte> request = stackalloc byte[1];
        Assert.True(chain.Read(0, request));
        if (request[0] != Look)
        {
            Transport.StateChanged();
            _count++;
        }

        Span<byte> answer = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(answer, _count);
        Assert.True(chain.Write(0, answer));
        queue.Push(chain.Head, sizeof(ulong));
    }

    public override void Reset()
    {
        base.Reset();
        _count = 0;
    }

    public void SaveState(StateWriter state)
    {
        Saved?.Invoke();
        state.Write(_count);
        state.Write(Config);
    }

    public void LoadState(StateReader state)
    {
        _count = state.Read<ulong>();
        state.Read(Config);
    }
}
