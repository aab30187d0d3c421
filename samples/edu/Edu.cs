// QEMU's educational device, from its register map (docs/specs/edu.rst there): identification, a liveness check, a
// factorial, interrupts, and DMA between guest memory and a buffer of 4 KiB. Register accesses hold the device's lock.
using Vgpu.Pci;
using Vgpu.Vfio;
using Vgpu.VfioUser;

using var edu = new Edu();
return VfioUserServer.Run(args, edu);

internal sealed class Edu : PciFunction
{
    private const uint Computing = 0x01, InterruptWhenComputed = 0x80, ComputedInterrupt = 0x01, DmaInterrupt = 0x100;
    private const ulong Transferring = 0x01, ToMemory = 0x02, InterruptWhenTransferred = 0x04, BufferAddress = 0x40000;

    private readonly byte[] _buffer = new byte[4096];
    private readonly DeviceThread _computer, _dma;
    private uint _liveness, _factorial, _status, _interrupts;
    private ulong _source, _destination, _count, _command;

    public Edu() : base(new PciIdentity(0x1234, 0x11e8, RevisionId: 0x10))
    {
        _computer = AddThread("edu factorial", ComputeFactorial);
        _dma = AddThread("edu DMA", Transfer);
        RegisterMap registers = AddRegisters(0, size: 1 << 20);
        registers.Add<uint>(0x00, () => 0x010000ed);
        registers.Add<uint>(0x04, () => ~_liveness, value => _liveness = value);
        registers.Add<uint>(0x08, () => _factorial, value => { _factorial = value; _status |= Computing; _computer.Wake(); });
        registers.Add<uint>(0x20, () => _status, value => _status = (_status & Computing) | (value & InterruptWhenComputed));
        registers.Add<uint>(0x24, () => _interrupts);
        registers.Add<uint>(0x60, write: value => SetInterrupts(_interrupts | value));
        registers.Add<uint>(0x64, write: value => SetInterrupts(_interrupts & ~value));
        registers.Add<ulong>(0x80, () => _source, value => _source = value);
        registers.Add<ulong>(0x88, () => _destination, value => _destination = value);
        registers.Add<ulong>(0x90, () => _count, value => _count = value);
        registers.Add<ulong>(0x98, () => _command, value => { _command = value; _dma.Wake(); });
    }

    protected override void OnReset()
    {
        _liveness = _factorial = _status = _interrupts = 0;
        _source = _destination = _count = _command = 0;
        Array.Clear(_buffer);
    }

    // A unit of work on a thread holds the lock too. It is short: 34! and beyond are 0 in 32 bits.
    private void ComputeFactorial()
    {
        lock (Lock)
        {
            uint product = 1;
            for (uint n = _factorial; n > 1 && product != 0; n--) product *= n;
            if ((_status & Computing) != 0)
            {
                _factorial = product;
                _status &= ~Computing;
                if ((_status & InterruptWhenComputed) != 0) SetInterrupts(_interrupts | ComputedInterrupt);
            }
        }
    }

    // What leaves the buffer or the guest's memory is not moved.
    private void Transfer()
    {
        lock (Lock)
        {
            bool toMemory = (_command & ToMemory) != 0;
            ulong at = (toMemory ? _source : _destination) - BufferAddress;
            bool fits = at <= 4096 && _count <= 4096 - at;
            if ((_command & Transferring) == 0) return;
            if (fits) Iommu.DmaRw(toMemory ? _destination : _source, _buffer.AsSpan((int)at, (int)_count), write: toMemory);
            _command &= ~Transferring;
            if ((_command & InterruptWhenTransferred) != 0) SetInterrupts(_interrupts | DmaInterrupt);
        }
    }

    private void SetInterrupts(uint interrupts) => SetIntx((_interrupts = interrupts) != 0);
}
