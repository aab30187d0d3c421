using System.Text;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Rfb.Tests;

/// <summary>Debian's decoders, for what the host's encoders made. Pixels are red, green, blue.</summary>
internal sealed class Decoders : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal uint[] Jpeg(Rect area, byte[] jpeg)
    {
        File.WriteAllBytes(_folder.File("in.jpg"), jpeg);
        (int status, string output) = Shell.Run("djpeg", "-ppm", "-strict", "-outfile", _folder.File("out.ppm"), _folder.File("in.jpg"));
        Assert.Equal((0, string.Empty), (status, output));
        byte[] ppm = File.ReadAllBytes(_folder.File("out.ppm"));
        string[] header = Encoding.ASCII.GetString(ppm, 0, Math.Min(40, ppm.Length)).Split('\n', 4);
        int from = header[0].Length + header[1].Length + header[2].Length + 3;
        Assert.Equal($"{area.Width} {area.Height}", header[1]);
        return [.. Enumerable.Range(0, (ppm.Length - from) / 3).Select(i => ((uint)ppm[from + (i * 3)] << 16) | ((uint)ppm[from + (i * 3) + 1] << 8) | ppm[from + (i * 3) + 2])];
    }

    /// <summary>All pictures of a stream, one after the other.</summary>
    internal uint[] H264(IEnumerable<byte[]> pictures)
    {
        string raw = _folder.File("out.raw");
        File.WriteAllBytes(_folder.File("in.h264"), [.. pictures.SelectMany(picture => picture)]);
        (int status, string output) = Shell.Run("ffmpeg", "-v", "error", "-y", "-i", _folder.File("in.h264"), "-vsync", "passthrough", "-sws_flags", "accurate_rnd+full_chroma_int", "-pix_fmt", "bgr0", "-f", "rawvideo", raw);
        Assert.Equal((0, string.Empty), (status, output));
        byte[] bytes = File.ReadAllBytes(raw);
        return [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToUInt32(bytes, i * 4) & 0xffffff)];
    }

    /// <summary>How far two pictures are from each other: the mean of all channels' differences, and the worst one's.</summary>
    internal static (double Mean, int Worst) Difference(ReadOnlySpan<uint> one, ReadOnlySpan<uint> other)
    {
        Assert.Equal(one.Length, other.Length);
        long sum = 0;
        int worst = 0;
        for (int i = 0; i < one.Length; i++)
        {
            for (int shift = 0; shift < 24; shift += 8)
            {
                int off = Math.Abs((int)((one[i] >> shift) & 255) - (int)((other[i] >> shift) & 255));
                sum += off;
                worst = Math.Max(worst, off);
            }
        }

        return (sum / (3.0 * one.Length), worst);
    }

    public void Dispose() => _folder.Dispose();
}
