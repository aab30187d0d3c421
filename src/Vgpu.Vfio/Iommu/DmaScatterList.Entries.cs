namespace Vgpu.Vfio.Iommu;

public sealed partial class DmaScatterList
{
    /// <summary>
    /// What the list was made of, in order, neighbours joined as far as an entry can be long: a list of these reads the same.
    /// Guest addresses only: nothing is translated for it. Never more than there were.
    /// </summary>
    public IEnumerable<DmaEntry> Entries
    {
        get
        {
            foreach (DmaEntry entry in EachEntry())
            {
                yield return entry;
            }
        }
    }

    /// <summary>How many <see cref="Entries"/> there are.</summary>
    public int EntryCount
    {
        get
        {
            ulong count = 0;
            foreach (Segment segment in _segments)
            {
                count += (segment.Length + uint.MaxValue - 1) / uint.MaxValue;
            }

            return (int)count;
        }
    }

    /// <summary><see cref="Entries"/> for a loop that allocates nothing.</summary>
    public EntryEnumerator EachEntry() => new(_segments);

    /// <summary>A walk along <see cref="Entries"/>.</summary>
    public struct EntryEnumerator
    {
        private readonly Segment[] _segments;
        private int _segment;
        private ulong _at;

        internal EntryEnumerator(Segment[] segments) => _segments = segments;

        /// <summary>The entry that <see cref="MoveNext"/> came to.</summary>
        public DmaEntry Current { get; private set; }

        /// <summary>Itself.</summary>
        public readonly EntryEnumerator GetEnumerator() => this;

        /// <summary>Goes to the next entry; false: there is none.</summary>
        public bool MoveNext()
        {
            if ((uint)_segment >= (uint)_segments.Length)
            {
                return false;
            }

            // None is empty.
            ref readonly Segment segment = ref _segments[_segment];
            ulong length = Math.Min(segment.Length - _at, uint.MaxValue);
            Current = new DmaEntry(segment.Iova + _at, (uint)length);
            _at += length;
            if (_at == segment.Length)
            {
                _segment++;
                _at = 0;
            }

            return true;
        }
    }
}
