// A device that copies the readable part of each chain into its writable part, or does what a test tells it.
namespace Vgpu.Virtio.Tests;

internal class EchoDevice : VirtioDevice
{
    private readonly byte[] _scratch = new byte[64 * 1024];

    public Action<int, Virtqueue, DescriptorChain>? Handle { get; set; }

    public Action<ulong, ulong>? Unmapped { get; set; }

    public int Resets { get; private set; }

    public ulong? Active { get; private set; }

    public bool Disposed { get; private set; }

    public byte[] Config { get; } = [1, 2, 3, 4, 5, 6];

    public override ushort DeviceType => 42;

    public override uint PciClassCode => 0x038000;

    public override ulong DeviceFeatures => 1;

    public override IReadOnlyList<ushort> QueueSizes { get; } = [16, 8];

    public override int ConfigSize => Config.Length;

    public override void ReadConfig(int offset, Span<byte> data) => Config.AsSpan(offset, data.Length).CopyTo(data);

    public override void WriteConfig(int offset, ReadOnlySpan<byte> data) => data.CopyTo(Config.AsSpan(offset));

    public override void Activate(ulong features) => Active = features;

    public override void HandleChain(int queueIndex, Virtqueue queue, DescriptorChain chain)
    {
        if (Handle is { } handle)
        {
            handle(queueIndex, queue, chain);
            return;
        }

        Span<byte> data = _scratch.AsSpan(0, (int)Math.Min(Math.Min(chain.ReadableLength, chain.WritableLength), (ulong)_scratch.Length));
        Assert.True(chain.Read(0, data));
        Assert.True(chain.Write(0, data));
        queue.Push(chain.Head, (uint)data.Length);
    }

    public override void Reset()
    {
        Resets++;
        Active = null;
    }

    public override void DmaUnmap(ulong iova, ulong length) => Unmapped?.Invoke(iova, length);

    protected override void Dispose(bool disposing)
    {
        Disposed = true;
        base.Dispose(disposing);
    }
}
