using System.Diagnostics;
using System.Net.Sockets;
using Vgpu.Testing.Rfb;
using Viewer = Vgpu.Testing.Rfb.Viewer;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A viewer that asks for what TigerVNC's asks for, at its defaults on a fast line (Tight, JPEG quality 8, compression 2,
/// continuous updates where the server has them), reads on a thread of its own, and notes what the strip says after each update.
/// Lossy pictures are decoded where they touch the strip: elsewhere nobody looks.
/// </summary>
internal sealed class LookingViewer : IDisposable
{
    private const int OpenH264 = 50;
    private const uint KeyA = 0x61;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // As TigerVNC's viewer lists them: the cursor's, sizes, extensions, then what it likes best, then the others.
    private static readonly int[] s_encodings =
        [-314, -239, -223, -308, -224, -313, -312, -258, 7, 1, 16, 5, 2, 0, -254, -24];

    private readonly Viewer _viewer;
    private readonly StripPictures _pictures = new();
    private readonly Thread _thread;
    private readonly object _lock = new(); // Waited on, so no Lock.
    private bool _pushes;
    private bool _ending;
    private bool _sees;
    private ushort _frame;
    private byte _keys;
    private long _frames;
    private long _updates;
    private Exception? _failure;

    internal LookingViewer(IShownScreen screen, bool takesH264)
    {
        _viewer = new Viewer(screen.Address, password: screen.Password);
        if (_viewer.Result != 0 || (_viewer.Width, _viewer.Height) != (Canvas.Width, Canvas.Height))
        {
            _viewer.Dispose();
            throw new BenchmarkException($"{screen.Name} does not show a screen of {Canvas.Width}x{Canvas.Height}");
        }

        _viewer.Decoder.Jpeg = _pictures.Jpeg;
        _viewer.Decoder.Film = _pictures.Film;
        _viewer.Decoder.UpdateBegun = AskOn;
        _viewer.SetNativeFormat();
        _viewer.SetEncodings(takesH264 ? [OpenH264, .. s_encodings] : s_encodings);
        _viewer.Request(incremental: false);
        _thread = new Thread(Read) { Name = $"viewer of {screen.Name}" };
        _thread.Start();
    }

    /// <summary>Different pictures seen so far.</summary>
    internal long Frames => Locked(() => _frames);

    /// <summary>Updates so far, whatever was in them.</summary>
    internal long Updates => Locked(() => _updates);

    internal long Bytes => _viewer.Wire.Received;

    /// <summary>How many rectangles of each encoding came so far, -7 being those of Tight that were JPEG.</summary>
    internal string Kinds => Locked(() => string.Join(", ", _viewer.Decoder.Counts.Select(pair => $"{pair.Key}: {pair.Value}").Append($"JPEG {_viewer.Decoder.JpegCount}")));

    /// <summary>Waits for the first whole strip.</summary>
    internal void AwaitPicture() => Await(() => _sees, "no picture comes");

    /// <summary>Presses and lets go a key, and waits until the picture shows that it was seen.</summary>
    internal TimeSpan Press()
    {
        byte before = Locked(() => _keys);
        long begun = Stopwatch.GetTimestamp();
        _viewer.Key(KeyA, isDown: true);
        _viewer.Key(KeyA, isDown: false);
        Await(() => _keys == (byte)(before + 1), "a key is not seen");
        return Stopwatch.GetElapsedTime(begun);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ending = true;
        }

        _viewer.Wire.Dispose();
        _thread.Join();
        _viewer.Dispose();
        _pictures.Dispose();
    }

    private T Locked<T>(Func<T> look)
    {
        lock (_lock)
        {
            return _failure is null ? look() : throw new BenchmarkException($"{_thread.Name}: {_failure.Message}");
        }
    }

    private void Await(Func<bool> condition, string complaint)
    {
        lock (_lock)
        {
            for (long begun = Stopwatch.GetTimestamp(); !condition() && _failure is null && Stopwatch.GetElapsedTime(begun) < s_patience;)
            {
                _ = Monitor.Wait(_lock, s_patience);
            }

            if (!condition())
            {
                throw new BenchmarkException($"{_thread.Name}: {_failure?.Message ?? complaint}");
            }
        }
    }

    // TigerVNC's viewer asks for the next update as soon as one begins, where the server does not send of itself.
    private void AskOn()
    {
        if (!_pushes)
        {
            _viewer.Request(incremental: true);
        }
    }

    private void Read()
    {
        try
        {
            while (true)
            {
                byte message = _viewer.Decoder.ReadMessage();
                if (message == 150 && !_pushes)
                {
                    _pushes = true;
                    _viewer.Wire.Send([150, 1, .. Wire.B16(0, 0, Canvas.Width, Canvas.Height)]);
                }
                else if (message == 0)
                {
                    Look();
                }
            }
        }
#pragma warning disable CA1031 // Whatever ends the viewer, who measures hears of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            lock (_lock)
            {
                _failure = _ending && e is IOException or ObjectDisposedException or SocketException ? null : e;
                Monitor.PulseAll(_lock);
            }
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            _updates++;
            if (!Strip.TryRead(_viewer.Decoder.At, out ushort frame, out byte keys))
            {
                return;
            }

            _frames += !_sees || frame != _frame ? 1 : 0;
            (_sees, _frame, _keys) = (true, frame, keys);
            Monitor.PulseAll(_lock);
        }
    }
}
