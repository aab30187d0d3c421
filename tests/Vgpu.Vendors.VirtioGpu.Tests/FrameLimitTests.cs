// The frame limiter: what comes too early is shown later, and nothing is left out.
using static Vgpu.Vendors.VirtioGpu.Tests.GpuCommands;
using static Vgpu.Vendors.VirtioGpu.VirtioGpuConstants;

namespace Vgpu.Vendors.VirtioGpu.Tests;

public sealed class FrameLimitTests : IDisposable
{
    private const int Side = 64;
    private const int Bytes = Side * Side * 4;
    private const int Limit = 10;
    private const long Interval = 1_000_000_000 / Limit;

    private readonly FakeRenderer3D _renderer = new();
    private readonly StoppedClock _clock = new();
    private readonly GpuGuest _guest;
    private int _frames;

    public FrameLimitTests()
    {
        _guest = new GpuGuest(
            heads: 2, features: RenderingCommands.Features, renderer3D: () => _renderer, patience: RendererPatience.Default with { Clock = _clock.Now });
        _guest.Head.FrameShown += _ => Interlocked.Increment(ref _frames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Frames_come_no_faster_than_they_may_and_all_of_them_come(bool rendered)
    {
        Show(1, rendered);
        _guest.Instance!.SetFrameLimit(Limit);
        int before = _guest.Answered;
        int shown = Volatile.Read(ref _frames);
        for (int i = 0; i < 6; i++)
        {
            _ = _guest.PostAt(i, VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { R = R(0, 0, Side, Side), ResourceId = 1 });
        }

        // One for the clock, and one that may come early.
        _guest.Await(before + 2);
        for (int frame = 3; frame <= 6; frame++)
        {
            AwaitLook();
            Assert.Equal((before + frame - 1, shown + frame - 1), (_guest.Answered, Volatile.Read(ref _frames)));
            _clock.Pass(Interval);
            _guest.Kick();
            _guest.Await(before + frame);
        }

        Assert.Equal(shown + 6, Volatile.Read(ref _frames));
        Assert.Equal(OK, _guest.ResponseAt(5).Type);
    }

    [Fact]
    public void A_limit_that_is_lifted_lets_what_waits_go_at_once()
    {
        Show(1, rendered: true);
        _guest.Instance!.SetFrameLimit(1);
        int before = _guest.Answered;
        for (int i = 0; i < 6; i++)
        {
            _ = _guest.PostAt(i, VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { R = R(0, 0, Side, Side), ResourceId = 1 });
        }

        _guest.Await(before + 2);
        AwaitLook();
        Assert.Equal(before + 2, _guest.Answered);
        _guest.Instance!.SetFrameLimit(0);
        _guest.Await(before + 6);
    }

    [Fact]
    public void Another_picture_on_the_head_and_its_flush_are_one_frame()
    {
        Show(1, rendered: false);
        Show(2, rendered: false);
        _guest.Instance!.SetFrameLimit(Limit);
        int before = _guest.Answered;
        for (int flip = 0; flip < 4; flip++)
        {
            _ = _guest.PostAt(2 * flip, VIRTIO_GPU_CMD_SET_SCANOUT, new VirtioGpuSetScanout { R = R(0, 0, Side, Side), ResourceId = 1 + ((uint)flip % 2) });
            _ = _guest.PostAt((2 * flip) + 1, VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { R = R(0, 0, Side, Side), ResourceId = 1 + ((uint)flip % 2) });
        }

        _guest.Await(before + 4);
        AwaitLook();
        Assert.Equal(before + 4, _guest.Answered);
        _clock.Pass(Interval);
        _guest.Kick();
        _guest.Await(before + 6);
        AwaitLook();
        Assert.Equal(before + 6, _guest.Answered);
        _clock.Pass(Interval);
        _guest.Kick();
        _guest.Await(before + 8);
    }

    [Fact]
    public void Heads_have_a_limit_each_and_what_no_head_shows_has_none()
    {
        Show(1, rendered: true);
        Show(2, rendered: true, head: 1);
        Assert.Equal(OK, _guest.Create3D(3, Side, Side));
        _guest.Instance!.SetFrameLimit(Limit);
        foreach (uint resource in (uint[])[1, 1, 2, 2, 3, 3, 3, 3])
        {
            Assert.Equal(OK, _guest.Flush(resource, R(0, 0, Side, Side)));
        }
    }

    [Fact]
    public void A_reset_ends_the_wait()
    {
        Show(1, rendered: true);
        _guest.Instance!.SetFrameLimit(Limit);
        int before = _guest.Answered;
        for (int i = 0; i < 6; i++)
        {
            _ = _guest.PostAt(i, VIRTIO_GPU_CMD_RESOURCE_FLUSH, new VirtioGpuResourceFlush { R = R(0, 0, Side, Side), ResourceId = 1 });
        }

        _guest.Await(before + 2);
        AwaitLook();
        _guest.Start(RenderingCommands.Features);
        Assert.Equal(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, _guest.GetDisplayInfo());
    }

    [Fact]
    public void A_type_that_does_not_render_has_no_limiter()
    {
        using var plain = new GpuGuest();
        Assert.Contains("no frame limiter", Assert.Throws<ArgumentException>(() => plain.Instance!.SetFrameLimit(Limit)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _guest.Dispose();

    private void Show(uint resource, bool rendered, uint head = 0)
    {
        Assert.Equal(OK, rendered ? _guest.Create3D(resource, Side, Side) : _guest.Create2D(resource, Side, Side));
        Assert.Equal(OK, _guest.Attach(resource, Backing(GpuGuest.PictureOffset, Bytes)));
        Assert.Equal(OK, _guest.SetScanout(head, resource, R(0, 0, Side, Side)));
        Assert.Equal(OK, _guest.Flush(resource, R(0, 0, Side, Side)));
    }

    // The thread has looked at what waits once more, and left it.
    private void AwaitLook()
    {
        int looks = _clock.Looks;
        _guest.Kick();
        _clock.AwaitLooks(looks + 2);
    }

    private sealed class StoppedClock
    {
        private readonly object _lock = new();
        private long _now = 1_000_000_000_000;
        private int _looks;

        internal int Looks
        {
            get
            {
                lock (_lock)
                {
                    return _looks;
                }
            }
        }

        internal long Now()
        {
            lock (_lock)
            {
                _looks++;
                Monitor.PulseAll(_lock);
                return _now;
            }
        }

        internal void Pass(long time)
        {
            lock (_lock)
            {
                _now += time;
            }
        }

        internal void AwaitLooks(int looks)
        {
            lock (_lock)
            {
                while (_looks < looks)
                {
                    Assert.True(Monitor.Wait(_lock, 60_000), "nobody looks at the clock");
                }
            }
        }
    }
}
