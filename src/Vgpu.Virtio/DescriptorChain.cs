// One descriptor chain as the device sees it: resolved runs of guest memory, the readable ones first.
// virtio 1.2, 2.7.4 (message framing) and 2.7.5 (descriptors).
using Vgpu.Vfio.Iommu;

namespace Vgpu.Virtio;

/// <summary>
/// A chain that the driver has made available, validated whole: every address is mapped with the access that its
/// descriptor asks for. One object a queue, filled anew for each chain: it is good until
/// <see cref="VirtioDevice.HandleChain"/> returns, and reads and writes nothing afterwards. Device lock held.
/// Allocates nothing once it has seen its longest chain.
/// </summary>
public sealed class DescriptorChain
{
    private readonly RunList _readable = new();
    private readonly RunList _writable = new();

    /// <summary>The chain's head, its name towards the driver.</summary>
    public ushort Head { get; private set; }

    /// <summary>Bytes that the driver offers to be read.</summary>
    public ulong ReadableLength => _readable.Length;

    /// <summary>Bytes that the driver offers to be written.</summary>
    public ulong WritableLength => _writable.Length;

    /// <summary>The readable part where this process sees it: in order, whole, good as long as the chain.</summary>
    public ReadOnlySpan<HostRun> ReadableRuns => _readable.Runs;

    /// <summary>The writable part, likewise.</summary>
    public ReadOnlySpan<HostRun> WritableRuns => _writable.Runs;

    /// <summary>Copies from the readable part at <paramref name="offset"/>; false where it is shorter than that or its memory is gone.</summary>
    public bool Read(ulong offset, Span<byte> destination)
    {
        if (!_readable.Seek(offset, destination.Length))
        {
            return false;
        }

        while (!destination.IsEmpty)
        {
            ReadOnlySpan<byte> piece = _readable.Next(destination.Length);
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
        }

        return true;
    }

    /// <summary>Copies to the writable part at <paramref name="offset"/>; false where it is shorter than that or its memory is gone.</summary>
    public bool Write(ulong offset, ReadOnlySpan<byte> source)
    {
        if (!_writable.Seek(offset, source.Length))
        {
            return false;
        }

        while (!source.IsEmpty)
        {
            Span<byte> piece = _writable.Next(source.Length);
            source[..piece.Length].CopyTo(piece);
            source = source[piece.Length..];
        }

        return true;
    }

    internal void Begin(ushort head)
    {
        Clear();
        Head = head;
    }

    internal void Add(in HostRun run, bool writable) => (writable ? _writable : _readable).Add(run);

    internal bool HasWritable => _writable.Runs.Length != 0;

    /// <summary>Forgets a part that the range touches: one that is worked on without the lock must not be written where nothing is mapped.</summary>
    internal void Drop(ulong iova, ulong length)
    {
        _readable.Drop(iova, length);
        _writable.Drop(iova, length);
    }

    internal void Clear()
    {
        _readable.Clear();
        _writable.Clear();
    }

    /// <summary>Runs in order, with a cursor that makes reading onwards cheap in a long chain.</summary>
    private sealed class RunList
    {
        private HostRun[] _runs = new HostRun[8];
        private int _count;
        private int _at;
        private ulong _atOffset;
        private ulong _position;

        public ulong Length { get; private set; }

        public ReadOnlySpan<HostRun> Runs => _runs.AsSpan(0, _count);

        public void Add(in HostRun run)
        {
            if (_count == _runs.Length)
            {
                Array.Resize(ref _runs, _count * 2);
            }

            _runs[_count++] = run;
            Length += run.Length;
        }

        public void Clear()
        {
            _count = 0;
            _at = 0;
            _atOffset = 0;
            Length = 0;
        }

        public void Drop(ulong iova, ulong length)
        {
            foreach (ref readonly HostRun run in Runs)
            {
                if (run.Iova - iova < length || iova - run.Iova < run.Length)
                {
                    Clear();
                    return;
                }
            }
        }

        public bool Seek(ulong offset, int length)
        {
            if (offset > Length || (ulong)length > Length - offset)
            {
                return false;
            }

            if (offset < _atOffset)
            {
                _at = 0;
                _atOffset = 0;
            }

            _position = offset;
            return true;
        }

        public unsafe Span<byte> Next(int most)
        {
            while (_position - _atOffset >= _runs[_at].Length)
            {
                _atOffset += _runs[_at++].Length;
            }

            ulong within = _position - _atOffset;
            int length = (int)Math.Min((ulong)most, _runs[_at].Length - within);
            _position += (uint)length;
            // Sound: Seek has checked that the position is within the list, and the device's lock keeps the run mapped.
            return new Span<byte>((byte*)_runs[_at].Address + within, length);
        }
    }
}
