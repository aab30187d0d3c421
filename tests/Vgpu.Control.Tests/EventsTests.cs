using System.Text.Json;
using Vgpu.Testing;

namespace Vgpu.Control.Tests;

/// <summary>The stream of events: what each follower gets, and what one costs that does not read.</summary>
public sealed class EventsTests
{
    [Fact]
    public void A_follower_gets_what_happens_from_then_on()
    {
        using var served = new Served();
        served.Bus.Raise("old");
        using var follower = new Follower(served, "follow=true");

        _ = served.Make("desk");

        Assert.Equal((2, "created"), (follower.Next().GetProperty("number").GetInt32(), follower.Last.GetProperty("kind").GetString()));
        Assert.Equal(("desk", served.Bus.Find("desk").Definition.Uuid.ToString()), (follower.Last.GetProperty("name").GetString(), follower.Last.GetProperty("uuid").GetString()));
        Assert.Equal("started", follower.Next().GetProperty("kind").GetString());
    }

    [Fact]
    public void One_that_comes_back_goes_on_where_it_was()
    {
        using var served = new Served();
        for (int i = 0; i < 5; i++)
        {
            served.Bus.Raise($"kind{i}");
        }

        using var follower = new Follower(served, "follow=true&after=3");
        Assert.Equal([4, 5], [follower.Next().GetProperty("number").GetInt32(), follower.Next().GetProperty("number").GetInt32()]);
        // Numbers begin anew with a daemon: 900 was another's.
        using var late = new Follower(served, "follow=true&after=900");
        Assert.Equal(1, late.Next().GetProperty("number").GetInt32());
    }

    [Fact]
    public void A_slow_reader_is_told_what_it_missed()
    {
        const int Many = 20_000;
        using var served = new Served(new FakeBus { EventsKept = 100 });
        using var follower = new Follower(served, "follow=true");
        using var brisk = new Follower(served, "follow=true");
        var reader = new Thread(() =>
        {
            while (brisk.Next().GetProperty("number").GetInt32() < Many)
            {
            }
        })
        { IsBackground = true };
        reader.Start();
        for (int i = 0; i < Many; i++)
        {
            served.Bus.Raise("noise", detail: new string('x', 1000));
        }

        long known = 0;
        bool skipped = false;
        while (known < Many)
        {
            JsonElement next = follower.Next();
            long number = next.GetProperty("number").GetInt64();
            skipped |= next.GetProperty("kind").GetString() == "skipped";
            Assert.True(number == known + 1 || next.GetProperty("kind").GetString() == "skipped", $"{number} after {known}");
            known = number;
        }

        Assert.True(skipped);
        Assert.True(reader.Join(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void A_follower_that_leaves_is_forgotten()
    {
        using var served = new Served();
        using (var follower = new Follower(served, "follow=true"))
        {
            Assert.Equal(1, served.Bus.Followers);
        }

        Assert.True(SpinWait.SpinUntil(() => served.Bus.Followers == 0, TimeSpan.FromSeconds(60)));
        Assert.Empty(served.Log.Lines);
    }

    [Fact]
    public void A_server_that_ends_ends_its_streams()
    {
        using var served = new Served();
        using var follower = new Follower(served, "follow=true");

        served.End();

        Assert.True(follower.IsAtEnd());
        Assert.Equal(0, served.Bus.Followers);
    }

    private sealed class Follower : IDisposable
    {
        private readonly HttpClient _http;
        private readonly HttpResponseMessage _response;
        private readonly StreamReader _lines;

        internal Follower(Served served, string query)
        {
            _http = Served.Http(served.Socket);
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/events?{query}");
            _response = _http.Send(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("application/x-ndjson", _response.EnsureSuccessStatusCode().Content.Headers.ContentType?.ToString());
            _lines = new StreamReader(_response.Content.ReadAsStream());
        }

        internal JsonElement Last { get; private set; }

        internal JsonElement Next() => Last = JsonDocument.Parse(_lines.ReadLine() ?? throw new EndOfStreamException()).RootElement;

        internal bool IsAtEnd() => _lines.ReadLine() is null;

        public void Dispose()
        {
            _lines.Dispose();
            _response.Dispose();
            _http.Dispose();
        }
    }
}
