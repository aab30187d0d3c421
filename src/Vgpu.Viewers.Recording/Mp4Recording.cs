using System.Buffers;
using Vgpu.Screens;

namespace Vgpu.Viewers.Recording;

// A film as fragmented MP4 (ISO/IEC 14496-12, 8.8; 14496-15 for H.264): a header with no pictures, then a fragment for each,
// so that a file that was cut off anywhere is played up to there.
internal sealed class Mp4Recording(Stream file, IH264Encoder encoder) : IRecording
{
    private const int TicksPerSecond = Mp4Header.TicksPerSecond;

    // Where a player can jump to.
    private static readonly TimeSpan s_keyInterval = TimeSpan.FromSeconds(10);

    private readonly ArrayBufferWriter<byte> _annexB = new();
    private readonly Mp4Boxes _boxes = new();
    private TimeSpan _sinceKey;
    private TimeSpan _at;
    private long _ticks;
    private uint _fragments;

    public int Width => encoder.Width;

    public int Height => encoder.Height;

    public bool IsApng => false;

    public void Add(ReadOnlySpan<byte> bgrx, TimeSpan duration)
    {
        _annexB.ResetWrittenCount();
        bool isKey = encoder.Encode(bgrx, Width * Surface.BytesPerPixel, keyFrame: _sinceKey >= s_keyInterval, _annexB);
        _sinceKey = isKey ? duration : _sinceKey + duration;
        _boxes.Clear();
        if (_fragments == 0)
        {
            Mp4Header.Write(_boxes, Width + (Width & 1), Height + (Height & 1), _annexB.WrittenSpan);
        }

        // From the sum of the times, so that rounding does not add up.
        _at += duration;
        long end = (long)(_at.TotalSeconds * TicksPerSecond);
        Mp4Fragment.Write(_boxes, ++_fragments, _ticks, (uint)Math.Clamp(end - _ticks, 1, uint.MaxValue), isKey, _annexB.WrittenSpan);
        _ticks = Math.Max(end, _ticks + 1);
        file.Write(_boxes.Written);
        file.Flush();
    }

    public void Finish() => file.Flush();

    public void Dispose()
    {
        encoder.Dispose();
        file.Dispose();
    }
}
