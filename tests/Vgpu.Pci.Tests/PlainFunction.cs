// A function with one of everything, for tests.
using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Pci.Tests;

internal class PlainFunction : PciFunction
{
    public const int Config = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;

    public PlainFunction(PciInterruptMode interrupts = PciInterruptMode.Intx, int vectors = 4, ReadOnlyMemory<byte> rom = default)
        : base(new Type2(NullLogger.Instance), new PciIdentity(0x1234, 0x1111, 2, 0x030000, 0x1af4, 0x1100), interrupts, vectors)
    {
        AddBar(new PciBar { Index = 0, Size = 1 << 20, Memory = Memory, IsPrefetchable = true });
        AddBar(new PciBar { Index = 2, Size = 8UL << 30, Is64Bit = true, IsPrefetchable = true, Handler = Registers });
        SetRom(rom);
    }

    public FileDescriptor Memory { get; } = MemFd.Create("bar", 1 << 20);

    public RegisterFile Registers { get; } = new();

    public int Resets { get; private set; }

    public List<(ulong Iova, ulong Length)> Unmaps { get; } = [];

    public List<bool> BusMaster { get; } = [];

    public new void AddBar(PciBar bar) => base.AddBar(bar);

    public new int AddCapability(byte id, ReadOnlySpan<byte> body) => base.AddCapability(id, body);

    public int AddWritableCapability(byte id, ReadOnlySpan<byte> body, ReadOnlySpan<byte> writable) => AddCapability(id, body, writable);

    public new void SetIntx(bool asserted) => base.SetIntx(asserted);

    public bool IsMsixEnabled
    {
        get
        {
            lock (Lock)
            {
                return MsixEnabled;
            }
        }
    }

    public void Fire(int vector)
    {
        lock (Lock)
        {
            TriggerMsix(vector);
        }
    }

    public uint Read(int region, ulong offset, int width)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes.Clear();
        Assert.Equal(Errno.None, ReadRegion(region, offset, bytes[..width]));
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public void Write(int region, ulong offset, uint value, int width)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Assert.Equal(Errno.None, WriteRegion(region, offset, bytes[..width]));
    }

    protected override void OnReset()
    {
        Assert.True(Lock.IsHeldByCurrentThread);
        Resets++;
    }

    protected override void OnDmaUnmap(ulong iova, ulong length)
    {
        Assert.True(Lock.IsHeldByCurrentThread);
        Unmaps.Add((iova, length));
    }

    protected override void OnBusMaster(bool enabled) => BusMaster.Add(enabled);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            Iommu.Dispose();
            Memory.Dispose();
        }
    }

    internal sealed class RegisterFile : IMmioHandler
    {
        public ulong LastOffset { get; private set; }

        public void Read(ulong offset, Span<byte> data)
        {
            LastOffset = offset;
            data.Fill(0x5a);
        }

        public void Write(ulong offset, ReadOnlySpan<byte> data) => LastOffset = offset;
    }
}
