using System.Diagnostics;

namespace Vgpu.Bench.Screens;

/// <summary>
/// Paints a scene at its pace on a thread of its own, with a strip that numbers each picture, and answers each key that comes
/// out of the server's input with a strip that counts it, at once.
/// </summary>
internal sealed class SceneSource : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(1);

    private readonly IShownScreen _screen;
    private readonly IScene _scene;
    private readonly Thread _thread;
    private volatile bool _ending;
    private volatile Exception? _failure;
    private ushort _frame;
    private byte _keys;
    private long _painted;

    internal SceneSource(IShownScreen screen, IScene scene)
    {
        (_screen, _scene) = (screen, scene);
        _thread = new Thread(Run) { Name = $"{scene.Name} for {screen.Name}" };
        var canvas = new Canvas(screen.Pixels);
        scene.Begin(canvas);
        Strip.Paint(canvas, _frame, _keys);
        screen.Show(Canvas.Whole);
        _thread.Start();
    }

    /// <summary>Pictures so far; any thread. Throws what ended the source.</summary>
    internal long Painted => _failure is null ? Interlocked.Read(ref _painted) : throw new BenchmarkException($"{_thread.Name}: {_failure.Message}");

    public void Dispose()
    {
        _ending = true;
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            Paint();
        }
#pragma warning disable CA1031 // Whatever it is, who asks for the pictures' number hears of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    private void Paint()
    {
        long period = Stopwatch.Frequency / _scene.Rate;
        long due = Stopwatch.GetTimestamp() + period;
        for (int number = 1; !_ending;)
        {
            int keys = _screen.TakeKeys();
            bool isDue = Stopwatch.GetTimestamp() >= due;
            if (keys == 0 && !isDue)
            {
                Pause.For(s_look);
                continue;
            }

            _keys += (byte)keys;
            _frame++;
            var canvas = new Canvas(_screen.Pixels);
            Strip.Paint(canvas, _frame, _keys);
            if (keys != 0)
            {
                _screen.Show(Strip.Area);
            }
            else
            {
                _screen.Show(_scene.Step(canvas, number++), Strip.Area);
                // A picture that could not be painted in time is left out, not made up for.
                due += period * Math.Max(1, (Stopwatch.GetTimestamp() - due) / period);
            }

            Interlocked.Increment(ref _painted);
        }
    }
}
