namespace Vgpu.Viewers.Web.Tests;

public sealed class TokensTests
{
    private readonly SetClock _clock = new();

    [Fact]
    public void A_ticket_holds_for_half_a_day_and_in_the_next_process()
    {
        string ticket = Make().Ticket(Role.Full);
        Assert.Equal(Role.Full, Make().RoleOfTicket(ticket));
        _clock.Pass(Tokens.Lifetime - TimeSpan.FromSeconds(1));
        Assert.Equal(Role.Full, Make().RoleOfTicket(ticket));
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Null(Make().RoleOfTicket(ticket));
    }

    [Fact]
    public void Another_token_ends_all_tickets()
    {
        string full = Make().Ticket(Role.Full);
        string view = Make().Ticket(Role.View);
        var changed = new Tokens("another-token-by-now", Served.ViewToken, _clock);
        Assert.Null(changed.RoleOfTicket(full));
        Assert.Equal(Role.View, changed.RoleOfTicket(view));
        Assert.Null(new Tokens(Served.Token, null, _clock).RoleOfTicket(view));
    }

    [Theory]
    [InlineData("")]
    [InlineData("f")]
    [InlineData("f..")]
    [InlineData("f.99999999999.")]
    [InlineData("f.99999999999.AAAA")]
    [InlineData("x.99999999999.AAAA")]
    [InlineData("f.1.2.3")]
    public void What_is_no_ticket_opens_nothing(string ticket) => Assert.Null(Make().RoleOfTicket(ticket));

    private Tokens Make() => new(Served.Token, Served.ViewToken, _clock);
}
