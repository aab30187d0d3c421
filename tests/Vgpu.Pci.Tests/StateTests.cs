// A function's state: what of it is PCI's goes from one function to another, and nothing of it goes to one that differs.
using Vgpu.Linux;
using Vgpu.Testing;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;
using static Vgpu.Pci.PciRegisters;

namespace Vgpu.Pci.Tests;

public sealed class StateTests
{
    private const int MsixControl = 0x42;
    private const int PageSize = 4096;
    private const VfioIrqSetFlags Assign = VfioIrqSetFlags.VFIO_IRQ_SET_DATA_EVENTFD | VfioIrqSetFlags.VFIO_IRQ_SET_ACTION_TRIGGER;

    [Fact]
    public void A_function_whose_subclass_saves_nothing_stays()
    {
        using var function = new PlainFunction();
        Assert.False(function.Migration.IsSupported);
        Assert.Equal(Errno.ENOTTY, function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
    }

    [Fact]
    public void Everything_that_is_PCIs_moves()
    {
        using var source = new MovingFunction(PciInterruptMode.Msix) { Own = 0xfeed };
        using var target = new MovingFunction(PciInterruptMode.Msix);
        Prepare(source);
        target.Write(0, 5 * PageSize, 0x11, 1); // Not in the source: gone after the move.
        byte[] state = Move.Save(source);
        Assert.Equal(Errno.None, Move.Load(target, state));

        Assert.Equal(0xfeedu, target.Own);
        Assert.True(target.Iommu.BusMaster);
        Assert.Equal([true], target.BusMaster);
        Assert.True(target.IsMsixEnabled);
        Assert.Equal(Bytes(source, PlainFunction.Config, PCI_CFG_SPACE_EXP_SIZE), Bytes(target, PlainFunction.Config, PCI_CFG_SPACE_EXP_SIZE));
        Assert.Equal(Bytes(source, 0, 1 << 20), Bytes(target, 0, 1 << 20));
        Assert.Equal(Bytes(source, 1, PageSize), Bytes(target, 1, PageSize));
        Assert.Equal(0xabcdu, target.Read(1, 16, 4));
        Assert.Equal(state, Move.Save(target));
    }

    [Fact]
    public void Pages_that_hold_nothing_are_not_moved()
    {
        using var source = new MovingFunction();
        int empty = Move.Save(source).Length;
        Move.Run(source);
        source.Write(0, 0, 1, 1);
        source.Write(0, PageSize - 1, 1, 1);
        source.Write(0, 9 * PageSize, 1, 1);
        source.Write(0, 7 * PageSize, 1, 1);
        source.Write(0, 7 * PageSize, 0, 1);
        Assert.Equal(empty + (2 * (PageSize + 16)), Move.Save(source).Length);
    }

    [Fact]
    public void An_asserted_pin_is_heard_once_the_other_runs()
    {
        using var source = new MovingFunction();
        using var target = new MovingFunction();
        using EventFd heard = EventFd.Create();
        source.SetIntx(true);
        byte[] state = Move.Save(source);
        Assert.Equal(Errno.None, target.SetIrqs(0, 0, 1, Assign, default, [new EventFd(heard.Descriptor.Duplicate())]));
        Assert.Equal(Errno.None, Move.Load(target, state));
        Assert.Equal((uint)PCI_STATUS_INTERRUPT, target.Read(PlainFunction.Config, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
        Assert.Equal(0UL, heard.Take());
        Move.Run(target);
        Assert.Equal(1UL, heard.Take());
    }

    [Fact]
    public void A_pin_that_is_disabled_stays_so()
    {
        using var source = new MovingFunction();
        using var target = new MovingFunction();
        using EventFd heard = EventFd.Create();
        Assert.Equal(Errno.None, target.SetIrqs(0, 0, 1, Assign, default, [new EventFd(heard.Descriptor.Duplicate())]));
        source.Write(PlainFunction.Config, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
        source.SetIntx(true);
        Assert.Equal(Errno.None, Move.Load(target, Move.Save(source)));
        Move.Run(target);
        Assert.Equal(0UL, heard.Take());
        target.Write(PlainFunction.Config, PCI_COMMAND, 0, 2);
        Assert.Equal(1UL, heard.Take());
    }

    [Fact]
    public void A_stopped_function_is_silent_until_it_goes_on()
    {
        using var function = new MovingFunction();
        using EventFd heard = EventFd.Create();
        Assert.Equal(Errno.None, function.SetIrqs(0, 0, 1, Assign, default, [new EventFd(heard.Descriptor.Duplicate())]));
        Assert.Equal(Errno.None, function.Migration.SetDeviceState(VfioDeviceState.VFIO_DEVICE_STATE_STOP));
        function.SetIntx(true);
        Assert.Equal(0UL, heard.Take());
        Move.Run(function);
        Assert.Equal(1UL, heard.Take());
    }

    [Fact]
    public void The_state_of_another_function_is_refused()
    {
        using var source = new MovingFunction(PciInterruptMode.Msix);
        byte[] state = Move.Save(source);
        using var vectors = new MovingFunction(PciInterruptMode.Msix, vectors: 5);
        using var intx = new MovingFunction();
        using var rom = new MovingFunction(PciInterruptMode.Msix, rom: new byte[100]);
        using var more = new MovingFunction(PciInterruptMode.Msix);
        more.AddCapability(PCI_CAP_ID_VNDR, [4, 0]);
        foreach (MovingFunction target in new[] { vectors, intx, rom, more })
        {
            Move.AssertRefused(target, state);
        }

        using var same = new MovingFunction(PciInterruptMode.Msix);
        Assert.Equal(Errno.None, Move.Load(same, state));
    }

    [Fact]
    public void A_damaged_state_is_refused_or_taken_as_it_is()
    {
        using var source = new MovingFunction(PciInterruptMode.Msix);
        Prepare(source);
        byte[] state = Move.Save(source);
        using var target = new MovingFunction(PciInterruptMode.Msix);
        Move.AssertTruncatedRefused(target, state);
        Assert.Equal(-1, Bytes(target, 0, 1 << 20).AsSpan().IndexOfAnyExcept((byte)0));
        int refused = Move.FlipBits(target, state, step: 13, taken =>
        {
            if (!taken)
            {
                Assert.False(target.Iommu.BusMaster);
            }
        });
        Assert.InRange(refused, 50, state.Length * 8);
    }

    [Fact]
    public void More_than_any_state_is_refused_before_it_is_kept()
    {
        using var target = new MovingFunction();
        Assert.Equal(Errno.ENOSPC, Move.Load(target, new byte[2 << 20]));
        Move.Reset(target);
    }

    // One of everything that moves: memory in its first, a middle and its last page.
    private static void Prepare(MovingFunction function)
    {
        function.Write(PlainFunction.Config, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
        function.Write(PlainFunction.Config, PCI_BASE_ADDRESS_0, 0xfe000000, 4);
        function.Write(PlainFunction.Config, PCI_INTERRUPT_LINE, 11, 1);
        function.Write(PlainFunction.Config, MsixControl, PCI_MSIX_FLAGS_ENABLE, 2);
        function.Write(1, 16, 0xabcd, 4);
        function.SetIntx(true);
        foreach (int page in new[] { 0, 100, 255 })
        {
            var bytes = new byte[PageSize];
            new Random(page).NextBytes(bytes);
            Assert.Equal(Errno.None, function.WriteRegion(0, (ulong)(page * PageSize), bytes));
        }
    }

    private static byte[] Bytes(PciFunction function, int region, int length)
    {
        var bytes = new byte[length];
        Assert.Equal(Errno.None, function.ReadRegion(region, 0, bytes));
        return bytes;
    }

    private sealed class MovingFunction(PciInterruptMode interrupts = PciInterruptMode.Intx, int vectors = 4, ReadOnlyMemory<byte> rom = default)
        : PlainFunction(interrupts, vectors, rom), IVfioMigratable
    {
        public uint Own { get; set; }

        public long MaxStateLength => sizeof(uint);

        public void SaveState(StateWriter state)
        {
            Assert.True(Lock.IsHeldByCurrentThread);
            state.Write(Own);
        }

        public void LoadState(StateReader state)
        {
            Assert.True(Lock.IsHeldByCurrentThread);
            Own = state.Read<uint>();
        }
    }
}
