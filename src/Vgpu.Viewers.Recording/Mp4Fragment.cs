namespace Vgpu.Viewers.Recording;

// One picture: moof (ISO/IEC 14496-12, 8.8.4 to 8.8.12) and mdat.
internal static class Mp4Fragment
{
    private const uint DEFAULT_BASE_IS_MOOF = 0x020000;
    private const uint DATA_OFFSET_PRESENT = 0x000001;
    private const uint SAMPLE_DURATION_PRESENT = 0x000100;
    private const uint SAMPLE_SIZE_PRESENT = 0x000200;
    private const uint SAMPLE_FLAGS_PRESENT = 0x000400;

    // sample_depends_on 2 (on none) and 1, the latter with sample_is_non_sync_sample (8.8.3.1).
    private const uint SyncSample = 0x02000000;
    private const uint OtherSample = 0x01010000;

    internal static void Write(Mp4Boxes to, uint number, long at, uint duration, bool isKey, ReadOnlySpan<byte> annexB)
    {
        int moof = to.Begin("moof"u8);
        int mfhd = to.BeginFull("mfhd"u8);
        to.U32(number);
        to.End(mfhd);
        int traf = to.Begin("traf"u8);
        int tfhd = to.BeginFull("tfhd"u8, flags: DEFAULT_BASE_IS_MOOF);
        to.U32(Mp4Header.TrackId);
        to.End(tfhd);
        int tfdt = to.BeginFull("tfdt"u8, version: 1);
        to.U64((ulong)at);
        to.End(tfdt);
        int trun = to.BeginFull("trun"u8, flags: DATA_OFFSET_PRESENT | SAMPLE_DURATION_PRESENT | SAMPLE_SIZE_PRESENT | SAMPLE_FLAGS_PRESENT);
        to.U32(1);
        int offset = to.Length;
        to.U32(0);
        to.U32(duration);
        int size = to.Length;
        to.U32(0);
        to.U32(isKey ? SyncSample : OtherSample);
        to.End(trun);
        to.End(traf);
        to.End(moof);

        int mdat = to.Begin("mdat"u8);
        int start = to.Length;
        foreach (ReadOnlySpan<byte> unit in new NalUnits(annexB))
        {
            // "avc1" keeps the parameter sets in the header (14496-15, 5.4.2).
            if (NalUnits.TypeOf(unit) is NalUnits.SPS or NalUnits.PPS)
            {
                continue;
            }

            to.U32((uint)unit.Length);
            to.Bytes(unit);
        }

        to.PatchU32(offset, (uint)(start - moof));
        to.PatchU32(size, (uint)(to.Length - start));
        to.End(mdat);
    }
}
