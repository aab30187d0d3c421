// The registers of a BAR, one by one, as a device's manual lists them. Little-endian, as PCI is.
using System.Numerics;

namespace Vgpu.Pci;

/// <summary>
/// Registers by offset, each with what reading and writing it does; made by <see cref="PciFunction.AddRegisters"/>. They
/// are called on the transport's thread with the device's lock held, which so guards the device's whole state, and return
/// soon: what takes longer is for a thread of the device (<see cref="PciFunction.AddThread"/>).
/// </summary>
/// <remarks>
/// An access may be shorter or longer than a register, as a bus with byte enables allows: a longer one goes to each register
/// in turn, and a write of a part of one first reads the rest. What no register covers reads as zero and ignores writes.
/// </remarks>
public sealed class RegisterMap : IMmioHandler
{
    private const int WidestRegister = 8;

    private readonly List<Register> _registers = [];
    private readonly PciFunction _function;
    private readonly ulong _size;

    internal RegisterMap(PciFunction function, ulong size)
    {
        _function = function;
        _size = size;
    }

    /// <summary>
    /// Adds a register as wide as <typeparamref name="T"/>, an unsigned integer of 1 to 8 bytes. Before the first access
    /// only. Throws <see cref="ArgumentException"/> where it leaves the BAR or overlaps another.
    /// </summary>
    /// <param name="offset">Bytes into the BAR.</param>
    /// <param name="read">What a read gives; null: zero.</param>
    /// <param name="write">What a write does; null: nothing.</param>
    public void Add<T>(ulong offset, Func<T>? read = null, Action<T>? write = null)
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        var register = new Register<T>(offset, read, write);
        int at = FirstEndingAfter(offset);
        bool isFree = at == _registers.Count || offset + (ulong)register.Width <= _registers[at].Offset;
        if (!isFree || register.Width > WidestRegister || offset > _size || (ulong)register.Width > _size - offset)
        {
            throw new ArgumentException($"No place for a register of {register.Width} bytes at 0x{offset:x}.", nameof(offset));
        }

        _registers.Insert(at, register);
    }

    void IMmioHandler.Read(ulong offset, Span<byte> data)
    {
        data.Clear();
        Span<byte> value = stackalloc byte[WidestRegister];
        ulong end = offset + (ulong)data.Length;
        using (_function.InTurn())
        {
            for (int i = FirstEndingAfter(offset); i < _registers.Count && _registers[i].Offset < end; i++)
            {
                Register register = _registers[i];
                register.Read(value);
                (int from, int to, int count) = register.Overlap(offset, data.Length);
                value.Slice(from, count).CopyTo(data[to..]);
            }

            // Reading may have changed something, and have said so.
            _function.Commit();
        }
    }

    void IMmioHandler.Write(ulong offset, ReadOnlySpan<byte> data)
    {
        Span<byte> value = stackalloc byte[WidestRegister];
        ulong end = offset + (ulong)data.Length;
        using (_function.InTurn())
        {
            for (int i = FirstEndingAfter(offset); i < _registers.Count && _registers[i].Offset < end; i++)
            {
                Register register = _registers[i];
                (int from, int to, int count) = register.Overlap(offset, data.Length);
                if (count != register.Width)
                {
                    register.Read(value);
                }

                data.Slice(to, count).CopyTo(value[from..]);
                register.Write(value);
                _function.OnRegisterWritten();
            }

            _function.Commit();
        }
    }

    private int FirstEndingAfter(ulong offset)
    {
        int low = 0;
        int high = _registers.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _registers[middle].Offset + (ulong)_registers[middle].Width > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private abstract class Register(ulong offset, int width)
    {
        public ulong Offset { get; } = offset;

        public int Width { get; } = width;

        public abstract void Read(Span<byte> value);

        public abstract void Write(ReadOnlySpan<byte> value);

        // Where an access and the register have bytes in common: from in the register, to in the access.
        public (int From, int To, int Count) Overlap(ulong offset, int length)
        {
            int from = offset > Offset ? (int)(offset - Offset) : 0;
            int to = Offset > offset ? (int)(Offset - offset) : 0;
            return (from, to, Math.Min(Width - from, length - to));
        }
    }

    private sealed class Register<T>(ulong offset, Func<T>? read, Action<T>? write) : Register(offset, T.Zero.GetByteCount())
        where T : unmanaged, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        public override void Read(Span<byte> value) => (read is null ? T.Zero : read()).WriteLittleEndian(value);

        public override void Write(ReadOnlySpan<byte> value) => write?.Invoke(T.ReadLittleEndian(value[..Width], isUnsigned: true));
    }
}
