// A checkpoint file as its keeper has it, and what a kill at any instruction leaves in it.
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.Vfio.Migration;

namespace Vgpu.Testing;

public sealed class CheckpointFile : IDisposable
{
    private const int PageSize = 4096;

    private readonly FileDescriptor _file;
    private readonly MemoryMapping _view;
    private readonly List<DeviceCheckpoint> _open = [];

    public CheckpointFile(long maxStateLength = 1 << 20)
    {
        _file = DeviceCheckpoint.CreateFile("checkpoint", maxStateLength);
        _view = MemoryMapping.Share(_file, 0, _file.Inspect().Size, MemoryProtection.ReadWrite);
    }

    public Span<byte> Bytes => _view.Span;

    /// <summary>A device that survives from here on.</summary>
    public void Keep(VfioDevice device)
    {
        _open.Add(new DeviceCheckpoint(_file));
        device.Checkpoint = _open[^1];
    }

    /// <summary>What is in the file at this moment, between two units of work.</summary>
    public byte[] Copy(VfioDevice device)
    {
        lock (device.Lock)
        {
            return Bytes.ToArray();
        }
    }

    /// <summary>The process is killed: it commits nothing more.</summary>
    public static void Kill(VfioDevice device)
    {
        device.Checkpoint = null;
        device.Dispose();
    }

    /// <summary>Puts a copy back.</summary>
    public void Restore(ReadOnlySpan<byte> copy) => copy.CopyTo(Bytes);

    /// <summary>As a kill amid a commit leaves the slot that does not count.</summary>
    public void Tear(Random random)
    {
        int slot = (Bytes.Length - PageSize) / 2;
        Span<byte> other = Bytes.Slice(PageSize + ((Bytes[8] & 1) == 1 ? 0 : slot), Math.Min(slot, 64 * 1024));
        random.NextBytes(other[..random.Next(other.Length)]);
    }

    public void Dispose()
    {
        _open.ForEach(checkpoint => checkpoint.Dispose());
        _view.Dispose();
        _file.Dispose();
    }
}
