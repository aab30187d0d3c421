using System.Net;

namespace Vgpu.Viewers.Web.Tests;

public sealed class GuessGateTests
{
    private readonly SetClock _clock = new();
    private readonly GuessGate _gate;
    private readonly IPAddress _somebody = IPAddress.Parse("192.0.2.7");

    public GuessGateTests() => _gate = new GuessGate(_clock);

    [Fact]
    public void A_few_mistakes_cost_nothing_and_further_ones_ever_more_up_to_half_a_minute()
    {
        var waits = new List<double>();
        for (int i = 0; i < GuessGate.FreeMistakes + 8; i++)
        {
            _ = _gate.Mistake(_somebody);
            waits.Add(_gate.Wait(_somebody).TotalSeconds);
        }

        Assert.Equal([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30], waits);
        _clock.Pass(TimeSpan.FromSeconds(29));
        Assert.Equal(1, _gate.Wait(_somebody).TotalSeconds);
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _gate.Wait(_somebody).TotalSeconds);
    }

    [Fact]
    public void A_right_token_and_an_hour_make_it_good()
    {
        Shut(_somebody);
        _gate.Forget(_somebody);
        Assert.Equal(TimeSpan.Zero, _gate.Wait(_somebody));
        Shut(_somebody);
        _clock.Pass(TimeSpan.FromHours(2));
        Assert.Equal(1, _gate.Mistake(_somebody));
    }

    [Fact]
    public void Others_do_not_wait_for_one_s_mistakes()
    {
        Shut(_somebody);
        Assert.Equal(TimeSpan.Zero, _gate.Wait(IPAddress.Parse("192.0.2.8")));
    }

    [Fact]
    public void A_network_of_IPv6_is_one_guesser()
    {
        for (int i = 0; i <= GuessGate.FreeMistakes; i++)
        {
            _ = _gate.Mistake(IPAddress.Parse($"2001:db8::{i + 1}"));
        }

        Assert.NotEqual(TimeSpan.Zero, _gate.Wait(IPAddress.Parse("2001:db8::ffff")));
        Assert.Equal(TimeSpan.Zero, _gate.Wait(IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public void Addresses_beyond_the_most_share_one_gate_and_no_memory()
    {
        for (int i = 0; i < GuessGate.MostAddresses; i++)
        {
            _ = _gate.Mistake(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]));
        }

        for (int i = 0; i <= GuessGate.FreeMistakes; i++)
        {
            Assert.Equal(i + 1, _gate.Mistake(new IPAddress([172, 16, 0, (byte)i])));
        }

        Assert.NotEqual(TimeSpan.Zero, _gate.Wait(_somebody));
        _clock.Pass(TimeSpan.FromHours(2));
        Assert.Equal(1, _gate.Mistake(_somebody));
    }

    private void Shut(IPAddress address)
    {
        for (int i = 0; i <= GuessGate.FreeMistakes; i++)
        {
            _ = _gate.Mistake(address);
        }

        Assert.NotEqual(TimeSpan.Zero, _gate.Wait(address));
    }
}
