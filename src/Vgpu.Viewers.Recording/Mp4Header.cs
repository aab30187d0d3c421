namespace Vgpu.Viewers.Recording;

// ftyp and moov of a file with one H.264 track whose pictures all come in fragments (ISO/IEC 14496-12, 4.3 and 8; 14496-15, 5).
internal static class Mp4Header
{
    internal const int TicksPerSecond = 90_000;
    internal const uint TrackId = 1;
    private const int Unity = 0x00010000;

    internal static void Write(Mp4Boxes to, int width, int height, ReadOnlySpan<byte> firstAccessUnit)
    {
        int ftyp = to.Begin("ftyp"u8);
        to.Bytes("iso5"u8);
        to.U32(512);
        to.Bytes("iso5iso6mp41avc1"u8);
        to.End(ftyp);

        int moov = to.Begin("moov"u8);
        WriteMovieHeader(to);
        int trak = to.Begin("trak"u8);
        WriteTrackHeader(to, width, height);
        int mdia = to.Begin("mdia"u8);
        WriteMediaHeader(to);
        int minf = to.Begin("minf"u8);
        WriteMediaInformation(to);
        int stbl = to.Begin("stbl"u8);
        WriteSampleEntry(to, width, height, firstAccessUnit);
        WriteEmptyTables(to);
        to.End(stbl);
        to.End(minf);
        to.End(mdia);
        to.End(trak);
        WriteExtends(to);
        to.End(moov);
    }

    private static void WriteMovieHeader(Mp4Boxes to)
    {
        int mvhd = to.BeginFull("mvhd"u8);
        to.Zeros(8);
        to.U32(TicksPerSecond);
        to.U32(0);
        to.U32(Unity);
        to.U16(0x0100);
        to.Zeros(10);
        WriteMatrix(to);
        to.Zeros(24);
        to.U32(TrackId + 1);
        to.End(mvhd);
    }

    private static void WriteTrackHeader(Mp4Boxes to, int width, int height)
    {
        // Enabled, in the movie.
        int tkhd = to.BeginFull("tkhd"u8, flags: 3);
        to.Zeros(8);
        to.U32(TrackId);
        to.Zeros(4 + 4 + 8 + 2 + 2 + 2 + 2);
        WriteMatrix(to);
        to.U32((uint)width << 16);
        to.U32((uint)height << 16);
        to.End(tkhd);
    }

    private static void WriteMatrix(Mp4Boxes to)
    {
        ReadOnlySpan<uint> matrix = [Unity, 0, 0, 0, Unity, 0, 0, 0, 0x40000000];
        foreach (uint value in matrix)
        {
            to.U32(value);
        }
    }

    private static void WriteMediaHeader(Mp4Boxes to)
    {
        int mdhd = to.BeginFull("mdhd"u8);
        to.Zeros(8);
        to.U32(TicksPerSecond);
        to.U32(0);
        // "und", three letters of 5 bits.
        to.U16(0x55c4);
        to.U16(0);
        to.End(mdhd);
        int hdlr = to.BeginFull("hdlr"u8);
        to.U32(0);
        to.Bytes("vide"u8);
        to.Zeros(12);
        to.Bytes("screen\0"u8);
        to.End(hdlr);
    }

    private static void WriteMediaInformation(Mp4Boxes to)
    {
        int vmhd = to.BeginFull("vmhd"u8, flags: 1);
        to.Zeros(8);
        to.End(vmhd);
        int dinf = to.Begin("dinf"u8);
        int dref = to.BeginFull("dref"u8);
        to.U32(1);
        // In this file.
        int url = to.BeginFull("url "u8, flags: 1);
        to.End(url);
        to.End(dref);
        to.End(dinf);
    }

    private static void WriteSampleEntry(Mp4Boxes to, int width, int height, ReadOnlySpan<byte> firstAccessUnit)
    {
        int stsd = to.BeginFull("stsd"u8);
        to.U32(1);
        int avc1 = to.Begin("avc1"u8);
        to.Zeros(6);
        to.U16(1);
        to.Zeros(16);
        to.U16(width);
        to.U16(height);
        // 72 dots an inch, one picture a sample, no name, 24 bits deep.
        to.U32(0x00480000);
        to.U32(0x00480000);
        to.U32(0);
        to.U16(1);
        to.Zeros(32);
        to.U16(24);
        to.U16(0xffff);
        WriteDecoderConfiguration(to, firstAccessUnit);
        to.End(avc1);
        to.End(stsd);
    }

    // avcC (14496-15, 5.3.3.1): the parameter sets, and lengths of four bytes before each unit.
    private static void WriteDecoderConfiguration(Mp4Boxes to, ReadOnlySpan<byte> accessUnit)
    {
        ReadOnlySpan<byte> sps = Find(accessUnit, NalUnits.SPS);
        ReadOnlySpan<byte> pps = Find(accessUnit, NalUnits.PPS);
        int avcC = to.Begin("avcC"u8);
        to.U8(1);
        to.Bytes(sps.Slice(1, 3));
        to.U8(0xff);
        to.U8(0xe1);
        to.U16(sps.Length);
        to.Bytes(sps);
        to.U8(1);
        to.U16(pps.Length);
        to.Bytes(pps);
        to.End(avcC);
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> accessUnit, int type)
    {
        foreach (ReadOnlySpan<byte> unit in new NalUnits(accessUnit))
        {
            if (NalUnits.TypeOf(unit) == type && unit.Length >= 4)
            {
                return unit;
            }
        }

        throw new InvalidOperationException($"The encoder's first picture has no NAL unit of type {type}.");
    }

    private static void WriteEmptyTables(Mp4Boxes to)
    {
        int stts = to.BeginFull("stts"u8);
        to.U32(0);
        to.End(stts);
        int stsc = to.BeginFull("stsc"u8);
        to.U32(0);
        to.End(stsc);
        int stsz = to.BeginFull("stsz"u8);
        to.Zeros(8);
        to.End(stsz);
        int stco = to.BeginFull("stco"u8);
        to.U32(0);
        to.End(stco);
    }

    private static void WriteExtends(Mp4Boxes to)
    {
        int mvex = to.Begin("mvex"u8);
        int trex = to.BeginFull("trex"u8);
        to.U32(TrackId);
        to.U32(1);
        to.Zeros(12);
        to.End(trex);
        to.End(mvex);
    }
}
