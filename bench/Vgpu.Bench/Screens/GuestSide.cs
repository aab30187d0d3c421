using System.Diagnostics;
using System.Runtime.InteropServices;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio;

namespace Vgpu.Bench.Screens;

/// <summary>
/// A guest's side of a virtio-gpu and a virtio keyboard, whoever emulates them: the same driver in the same memory. It asks for
/// no interrupts and looks for itself.
/// </summary>
internal sealed class GuestSide : IDisposable
{
    private const ulong Version1 = 1UL << 32;
    private const ushort NoInterrupt = 1;
    private const ushort EV_KEY = 1;
    private const int Buffers = 64;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(0.3);

    private readonly GuestScreen _screen;
    private readonly FakeDriver _keyboard;
    private readonly EventBuffers _events;

    internal GuestSide(FakeGuest guest, VfioDevice gpu, VfioDevice keyboard)
    {
        _screen = new GuestScreen(guest, gpu, Canvas.Width, Canvas.Height, Poll);
        _keyboard = new FakeDriver(keyboard);
        var events = new FakeQueue(guest, 0, Buffers);
        _keyboard.Start(Version1, events, new FakeQueue(guest, 1, Buffers));
        events.Flags = NoInterrupt;
        _events = new EventBuffers(guest, _keyboard, events);
        _events.Give(Buffers);
    }

    internal Span<uint> Pixels => MemoryMarshal.Cast<byte, uint>(_screen.Pixels);

    internal void Show(ReadOnlySpan<Rect> rects) => _screen.Show(rects);

    internal int TakeKeys() => _events.TakeAll().Count(happened => (ushort)happened == EV_KEY && happened >> 32 == 1);

    public void Dispose()
    {
        _screen.Dispose();
        _keyboard.Dispose();
    }

    // Most answers come at once; for the others the processor is left to who makes them.
    private static void Poll(Func<bool> condition)
    {
        for (long begun = Stopwatch.GetTimestamp(); !condition();)
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(begun);
            if (waited > s_patience)
            {
                throw new BenchmarkException("the virtio-gpu answers no more");
            }

            if (waited < s_soon)
            {
                _ = Thread.Yield();
            }
            else
            {
                Pause.For(TimeSpan.FromMilliseconds(1));
            }
        }
    }
}
