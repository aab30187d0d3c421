// A device made of what a small one is made of: a map of registers, memory, a thread, a domain of its own.
using Vgpu.Linux;
using Vgpu.Vfio;

namespace Vgpu.Pci.Tests;

internal sealed class SmallDevice : PciFunction
{
    public const int MemorySize = 8192;

    public SmallDevice()
        : base(new PciIdentity(0x1234, 0x5678), PciInterruptMode.None)
    {
        Thread = AddThread("small", () => Work());
        Memory = AddMemory(0, MemorySize);
        Registers = AddRegisters(2, 4096);
        Registers.Add<uint>(0x10, () => 0x44332211);
        Registers.Add<ushort>(0x14, write: value => Short = Locked(value));
        Registers.Add<ulong>(0x18, () => Long, value => Long = Locked(value));
        Registers.Add<byte>(0x08, () => 0x7f, value => Byte = value);
    }

    public RegisterMap Registers { get; }

    public MemoryMapping Memory { get; }

    public DeviceThread Thread { get; }

    public Action Work { get; set; } = () => { };

    public byte Byte { get; private set; }

    public ushort Short { get; private set; }

    public ulong Long { get; set; }

    public byte[] ReadBytes(int region, ulong offset, int length)
    {
        var data = new byte[length];
        data.AsSpan().Fill(0xee);
        Assert.Equal(Errno.None, ReadRegion(region, offset, data));
        return data;
    }

    public void WriteBytes(int region, ulong offset, params byte[] data) => Assert.Equal(Errno.None, WriteRegion(region, offset, data));

    protected override void OnReset()
    {
    }

    private T Locked<T>(T value)
    {
        Assert.True(Lock.IsHeldByCurrentThread);
        return value;
    }
}
