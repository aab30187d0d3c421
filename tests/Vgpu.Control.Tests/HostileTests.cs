using System.Text;

namespace Vgpu.Control.Tests;

/// <summary>What no client of ours sends: a 4xx or a closed connection, and the next request is answered.</summary>
public sealed class HostileTests : IDisposable
{
    private readonly Served _served = new();

    public void Dispose()
    {
        Assert.Equal(200, _served.Ask("GET", "/v1/types").Status);
        Assert.Empty(_served.Log.Lines);
        _served.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("\"desk\"")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"parent":"software0"}""")]
    [InlineData("""{"parent":"software0","type":null}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m"} {}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","typ":"x"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","type":"virtio-gpu-256m"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","uuid":"desk"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","uuid":7}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","start":"yes"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","owner":{"uid":7}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","owner":{"uid":-1,"gid":0}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","owner":{"uid":4294967296,"gid":0}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","settings":{"mode":null}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","settings":{"mode":["a"]}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","settings":{"mode":"\ud800"}}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","name":"\ud800"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","after":"db"}""")]
    [InlineData("""{"parent":"software0","type":"bochs-16m","settings":{"a":[[[[[[[[[[1]]]]]]]]]]}}""")]
    public void A_body_that_is_no_request(string body)
    {
        _served.Ask("POST", "/v1/instances", body).IsProblem(400, string.Empty, "invalid");
        Assert.Empty(_served.Bus.Instances());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"mode":{}}""")]
    [InlineData("""{"mode":"a","mode":"b"}""")]
    [InlineData("""{"mode":"\udfff"}""")]
    [InlineData("""{"memory_limit":"much"}""")]
    [InlineData("""{"colour":"red"}""")]
    public void Settings_that_can_t_be(string body)
    {
        string before = _served.Make("desk").ToString();

        _served.Ask("PATCH", "/v1/instances/desk", body).IsProblem(400, string.Empty, "invalid");
        Assert.Equal(before, _served.Bus.Find("desk").ToString());
    }

    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/v1", 404)]
    [InlineData("GET", "/v2/types", 404)]
    [InlineData("GET", "/v1/instances/desk/start", 405)]
    [InlineData("PUT", "/v1/instances/desk", 405)]
    [InlineData("POST", "/v1/types", 405)]
    [InlineData("GET", "/v1/instances/%0a%1b[31m", 404)]
    [InlineData("GET", "/v1/instances/..%2f..%2fetc", 404)]
    [InlineData("POST", "/v1/instances/nobody/start", 404)]
    [InlineData("GET", "/v1/events?after=-1", 400)]
    [InlineData("GET", "/v1/events?after=9223372036854775808", 400)]
    [InlineData("GET", "/v1/events?after=1&after=2", 400)]
    [InlineData("GET", "/v1/events?follow=perhaps", 400)]
    public void A_place_that_is_not_there(string method, string path, int status)
    {
        Answer answer = _served.Ask(method, path);

        answer.IsProblem(status, string.Empty, answer.Json.TryGetProperty("error", out var error) ? error.GetString() : null);
    }

    [Fact]
    public void A_body_above_64_KiB_is_not_read()
    {
        // Of the first only what announces it: the answer need not wait for the rest, nor a client be done with sending it.
        string refused = _served.Raw("POST /v1/instances HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n"u8.ToArray());
        Assert.Contains(" 413 ", refused, StringComparison.Ordinal);
        Assert.Contains("64 KiB is the most", refused, StringComparison.Ordinal);
        Assert.Contains(" 413 ", _served.Raw(Encoding.ASCII.GetBytes("POST /v1/instances HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\n" + new string(' ', 0x11000) + "\r\n0\r\n\r\n")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\0\0\0\0\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET /v1/instances/%00 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /v1/types HTTP/9.9\r\n\r\n")]
    [InlineData("GET /v1/types HTTP/1.1\r\n\r\n")]
    [InlineData("GET /v1/types HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("POST /v1/instances HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public void What_is_no_HTTP_ends_the_connection(string bytes)
    {
        string answer = _served.Raw(Encoding.Latin1.GetBytes(bytes));

        // Or HTTP/2's GOAWAY: HTTP_1_1_REQUIRED.
        Assert.Matches("^(HTTP/1.1 [45]|\0\0\b\a\0)", answer);
    }

    [Fact]
    public void Headers_have_an_end()
    {
        Assert.StartsWith("HTTP/1.1 414", _served.Raw(Encoding.ASCII.GetBytes($"GET /{new string('a', 5000)} HTTP/1.1\r\nHost: a\r\n\r\n")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", _served.Raw(Encoding.ASCII.GetBytes($"GET /v1/types HTTP/1.1\r\nHost: a\r\nA: {new string('a', 17_000)}\r\n\r\n")), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", _served.Raw(Encoding.ASCII.GetBytes($"GET /v1/types HTTP/1.1\r\nHost: a\r\n{string.Concat(Enumerable.Repeat("a: b\r\n", 80))}\r\n")), StringComparison.Ordinal);
    }

    [Fact]
    public void Clients_that_leave_in_the_middle_of_a_request_leave_nothing()
    {
        for (int i = 0; i < 300; i++)
        {
            using var socket = Served.Connect(_served.Socket);
            _ = socket.Send("POST /v1/instances HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"parent\""u8[..(i % 60)]);
        }

        Assert.Empty(_served.Bus.Instances());
    }
}
