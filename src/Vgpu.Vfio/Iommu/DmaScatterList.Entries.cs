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
            foreach (Segment segment in _segments)
            {
                for (ulong at = 0; at < segment.Length; at += uint.MaxValue)
                {
                    yield return new DmaEntry(segment.Iova + at, (uint)Math.Min(segment.Length - at, uint.MaxValue));
                }
            }
        }
    }
}
