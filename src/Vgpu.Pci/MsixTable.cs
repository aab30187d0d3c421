// The MSI-X table and pending bit array behind a BAR of their own. PCI Local Bus 3.0, 6.8.2.
// A VFIO client owns the vectors: it assigns eventfds, keeps the table in its own emulation (QEMU) or writes it here,
// and masks by de-assigning. So the table is memory, and no bit ever pends.
using System.Numerics;
using Vgpu.Vfio.Migration;
using static Vgpu.Pci.PciRegisters;

namespace Vgpu.Pci;

/// <summary>Table at offset 0, pending bits in the upper half. Accesses and reset come from the transport's thread.</summary>
internal sealed class MsixTable : IMmioHandler
{
    private const int SmallestBar = 4096;
    private readonly byte[] _table;
    private readonly PciFunction _function;

    public MsixTable(int vectors, PciFunction function)
    {
        _function = function;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vectors);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vectors, PCI_MSIX_FLAGS_QSIZE + 1);
        _table = new byte[vectors * PCI_MSIX_ENTRY_SIZE];
        Size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(SmallestBar, 2 * _table.Length));
        Reset();
    }

    /// <summary>Bytes of the BAR.</summary>
    public uint Size { get; }

    /// <summary>Where the pending bits begin.</summary>
    public uint PendingOffset => Size / 2;

    public void Reset()
    {
        Array.Clear(_table);
        for (int i = PCI_MSIX_ENTRY_VECTOR_CTRL; i < _table.Length; i += PCI_MSIX_ENTRY_SIZE)
        {
            _table[i] = 1;
        }
    }

    public void Read(ulong offset, Span<byte> data)
    {
        data.Clear();
        Overlap(offset, data.Length).CopyTo(data);
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        Span<byte> part = Overlap(offset, data.Length);
        using (_function.InTurn())
        {
            data[..part.Length].CopyTo(part);
            _function.OnRegisterWritten();
            _function.Commit();
        }
    }

    /// <summary>Bytes of a saved state.</summary>
    public int StateLength => _table.Length;

    public void SaveState(StateWriter state) => state.Write(_table);

    /// <summary>Whatever it holds: a client may write every bit of the table.</summary>
    public void LoadState(StateReader state) => state.Read(_table);

    private Span<byte> Overlap(ulong offset, int length) => offset < (ulong)_table.Length
        ? _table.AsSpan((int)offset, Math.Min(length, _table.Length - (int)offset))
        : default;
}
