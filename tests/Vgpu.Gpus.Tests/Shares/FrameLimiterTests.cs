using Vgpu.Gpus.Shares;

namespace Vgpu.Gpus.Tests.Shares;

/// <summary>The frame limiter, by a clock that only goes on here.</summary>
public sealed class FrameLimiterTests
{
    private const long Second = 1_000_000_000;

    // A guest that could draw 500 frames a second, on a thread that is up to a millisecond late, as poll(2) is.
    [Theory]
    [InlineData(1)]
    [InlineData(24)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(75)]
    [InlineData(144)]
    [InlineData(240)]
    public void The_rate_is_the_limit_s_within_a_fiftieth(int limit) => Assert.InRange((Shown(limit, 2, 0, 50) - 1) / 50.0, limit * 0.98, limit * 1.02);

    [Fact]
    public void Who_draws_fewer_is_not_held_back()
    {
        Assert.Equal(Shown(0, 40, 10, 10), Shown(60, 40, 10, 10));
        Assert.Equal(5000, Shown(0, 2, 0, 10));
    }

    // Two frames, and then one at a time: nothing is saved up.
    [Fact]
    public void After_a_rest_one_frame_more_may_be_shown_and_no_other()
    {
        var limiter = new FrameLimiter { FramesPerSecond = 60 };
        long now = Second;
        limiter.Shown(now);
        now += 5 * Second;
        int atOnce = 0;
        while (limiter.MayShowAt(now) <= now)
        {
            limiter.Shown(now);
            atOnce++;
        }

        Assert.Equal(2, atOnce);
        Assert.Equal(Second / 60, limiter.MayShowAt(now) - now);
    }

    [Fact]
    public void Another_limit_is_in_force_at_once()
    {
        var limiter = new FrameLimiter { FramesPerSecond = 1 };
        limiter.Shown(Second);
        limiter.Shown(Second);
        limiter.FramesPerSecond = 100;
        Assert.Equal(Second / 100, limiter.MayShowAt(Second) - Second);
        limiter.FramesPerSecond = 0;
        Assert.Equal(Second, limiter.MayShowAt(Second));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1001)]
    public void A_limit_that_is_none_is_refused(int limit) => Assert.Throws<ArgumentOutOfRangeException>(() => new FrameLimiter { FramesPerSecond = limit });

    // Frames that a guest showed whose frames take it so long, give or take.
    private static int Shown(int limit, int milliseconds, int more, int seconds)
    {
        var limiter = new FrameLimiter { FramesPerSecond = limit };
        var random = new Random(1);
        long now = Second;
        int frames = 0;
        while (true)
        {
            now += (milliseconds * 1_000_000) + random.Next((more * 1_000_000) + 1);
            long due = limiter.MayShowAt(now);
            now = due <= now ? now : due + random.Next(1_000_000);
            if (now > (seconds + 1) * Second)
            {
                return frames;
            }

            limiter.Shown(now);
            frames++;
        }
    }
}
