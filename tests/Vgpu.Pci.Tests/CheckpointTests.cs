// A device of registers, memory and a pin that is killed: what PciFunction keeps for it, without its doing.
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;
using static Vgpu.Pci.PciRegisters;

namespace Vgpu.Pci.Tests;

public sealed class CheckpointTests
{
    private const VfioIrqSetFlags Assign = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;

    [Fact]
    public void Registers_config_and_memory_are_there_and_an_asserted_pin_is_heard_again()
    {
        using var memory = new OneFile();
        using var file = new CheckpointFile();
        using var first = new KeptDevice(memory);
        file.Keep(first);
        Write(first, 2, 0, 0x1234_5678);
        Write(first, PlainConfig, PCI_INTERRUPT_LINE, 9);
        first.Memory.Span[100] = 7;
        using EventFd heard = Trigger(first);
        Write(first, 2, 4, 1);
        Assert.Equal(1UL, heard.Take());
        CheckpointFile.Kill(first);

        using var second = new KeptDevice(memory);
        using EventFd again = Trigger(second);
        file.Keep(second);
        Assert.True(second.TryRestore(out string? why), why);
        Assert.Equal(0x1234_5678u, Read(second, 2, 0));
        Assert.Equal(9u, Read(second, PlainConfig, PCI_INTERRUPT_LINE) & 0xff);
        Assert.Equal(7, second.Memory.Span[100]);
        Assert.Equal(1UL, again.Take());
        Write(second, 2, 4, 0);
        second.Reset();
        CheckpointFile.Kill(second);

        using var third = new KeptDevice(memory);
        using EventFd silent = Trigger(third);
        file.Keep(third);
        Assert.True(third.TryRestore(out _));
        Assert.Equal((0u, 0UL), (Read(third, 2, 0), silent.Take()));
    }

    [Fact]
    public void Every_vector_is_raised_once_more()
    {
        using var memory = new OneFile();
        using var file = new CheckpointFile();
        using var first = new KeptDevice(memory, PciInterruptMode.Msix);
        file.Keep(first);
        Write(first, 3, 16, 0xfee0_0000);
        CheckpointFile.Kill(first);
        using var second = new KeptDevice(memory, PciInterruptMode.Msix);
        EventFd[] heard = [EventFd.Create(), EventFd.Create()];
        Assert.Equal(Errno.None, second.SetIrqs(2, 0, 2, Assign, default, [.. heard.Select(e => new EventFd(e.Descriptor.Duplicate()))]));
        file.Keep(second);
        Assert.True(second.TryRestore(out _));
        Assert.Equal(0xfee0_0000u, Read(second, 3, 16));
        Assert.Equal([1UL, 1UL], heard.Select(e => e.Take()));
        Array.ForEach(heard, e => e.Dispose());
    }

    [Fact]
    public void A_device_that_saves_nothing_or_too_much_is_refused()
    {
        using var plain = new PlainFunction();
        using FileDescriptor file = DeviceCheckpoint.CreateFile("small", 100);
        using var small = new DeviceCheckpoint(file);
        Assert.Contains("does not save its state", Assert.Throws<ArgumentException>(() => plain.Checkpoint = small).Message, StringComparison.Ordinal);
        using var memory = new OneFile();
        using var large = new KeptDevice(memory) { Extra = 8192 };
        Assert.Contains("has room for", Assert.Throws<ArgumentException>(() => large.Checkpoint = small).Message, StringComparison.Ordinal);
        Assert.False(large.TryRestore(out _));
    }

    [Fact]
    public void A_state_that_is_larger_than_it_was_said_to_be_leaves_no_checkpoint_rather_than_an_old_one()
    {
        using var memory = new OneFile();
        using var file = new CheckpointFile(4096);
        using var first = new KeptDevice(memory);
        file.Keep(first);
        Write(first, 2, 0, 1);
        first.Lie = 1 << 20;
        Write(first, 2, 0, 2);
        CheckpointFile.Kill(first);
        using var second = new KeptDevice(memory);
        file.Keep(second);
        Assert.False(second.TryRestore(out _));
        Assert.Equal(0u, Read(second, 2, 0));
    }

    [Fact]
    public void A_file_that_is_none_or_can_shrink_is_refused()
    {
        using FileDescriptor tiny = MemFd.Create("tiny", 4096);
        using FileDescriptor loose = MemFd.Create("loose", 1 << 20, Seals.None);
        Assert.Throws<ArgumentException>(() => new DeviceCheckpoint(tiny));
        Assert.Throws<ArgumentException>(() => new DeviceCheckpoint(loose));
    }

    private const int PlainConfig = VfioPciRegions.VFIO_PCI_CONFIG_REGION_INDEX;

    private static EventFd Trigger(VfioDevice device)
    {
        EventFd heard = EventFd.Create();
        Assert.Equal(Errno.None, device.SetIrqs(0, 0, 1, Assign, default, [new EventFd(heard.Descriptor.Duplicate())]));
        return heard;
    }

    private static void Write(VfioDevice device, int region, int offset, uint value) =>
        Assert.Equal(Errno.None, device.WriteRegion(region, (ulong)offset, BitConverter.GetBytes(value)));

    private static uint Read(VfioDevice device, int region, int offset)
    {
        var data = new byte[4];
        Assert.Equal(Errno.None, device.ReadRegion(region, (ulong)offset, data));
        return BitConverter.ToUInt32(data);
    }

    private sealed class OneFile : IMemoryFiles, IDisposable
    {
        private FileDescriptor? _file;

        public FileDescriptor Open(string name, ulong size) => (_file ??= MemFd.Create(name, size)).Duplicate();

        public void Dispose() => _file?.Dispose();
    }

    private sealed class KeptDevice : PciFunction, IVfioMigratable
    {
        private uint _value;

        public KeptDevice(IMemoryFiles files, PciInterruptMode interrupts = PciInterruptMode.Intx)
            : base(new PciIdentity(0x1234, 0x5678), interrupts, vectorCount: 2)
        {
            Memory = AddMemory(0, 4096, files);
            RegisterMap registers = AddRegisters(2, 4096);
            AddRegisters(1, 16);
            registers.Add(0, () => _value, value => _value = value);
            registers.Add<uint>(4, write: value => SetIntx(value != 0));
        }

        public MemoryMapping Memory { get; }

        public int Extra { get; init; }

        public int Lie { get; set; }

        public long MaxStateLength => sizeof(uint) + Extra;

        public void SaveState(StateWriter state)
        {
            state.Write(_value);
            state.Write(new byte[Lie]);
        }

        public void LoadState(StateReader state) => _value = state.Read<uint>();

        protected override void OnReset() => _value = 0;
    }
}
