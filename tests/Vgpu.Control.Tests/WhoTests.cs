using System.Diagnostics;
using System.Text.Json;
using Vgpu.Bus;
using Vgpu.Linux;

namespace Vgpu.Control.Tests;

/// <summary>
/// Who sees and may do what. Another user is a curl in a process of its own, which only root can start: where others run
/// the tests, those about strangers show that the tests' own user is none.
/// </summary>
public sealed class WhoTests : IDisposable
{
    private const uint Nobody = 65_534;

    private readonly Served _served = new();

    public void Dispose() => _served.Dispose();

    [Fact]
    public void The_sockets_have_the_modes_of_their_doors()
    {
        UnixFileMode own = Accounts.OwnUid == 0 && Accounts.FindGroup(ControlSockets.Group) is not null ? (UnixFileMode)0b110_110_000 : (UnixFileMode)0b110_000_000;

        Assert.Equal(own, File.GetUnixFileMode(_served.Socket));
        Assert.Equal((UnixFileMode)0b110_110_110, File.GetUnixFileMode(_served.ReadOnlySocket));
    }

    [Theory]
    [InlineData("POST", "/v1/instances", """{"parent":"software0","type":"bochs-16m"}""")]
    [InlineData("PATCH", "/v1/instances/desk", """{"auto":true}""")]
    [InlineData("DELETE", "/v1/instances/desk", null)]
    [InlineData("POST", "/v1/instances/desk/stop", null)]
    [InlineData("POST", "/v1/nowhere", null)]
    public void The_read_only_door_changes_nothing(string method, string path, string? body)
    {
        string before = _served.Make("desk").ToString();

        _served.Ask(method, path, body, readOnly: true).IsProblem(403, "this socket only shows", "forbidden");
        Assert.Equal(before, Assert.Single(_served.Bus.Instances()).ToString());
    }

    [Fact]
    public void The_daemon_s_own_user_sees_all_by_either_door()
    {
        _ = _served.Make("desk", owner: 7);

        Assert.All([true, false], readOnly =>
        {
            Assert.Equal("desk", _served.Ask("GET", "/v1/instances/desk", readOnly: readOnly).Ok().GetProperty("name").GetString());
            Assert.Single(_served.Ask("GET", "/v1/instances", readOnly: readOnly).Ok().EnumerateArray());
            Assert.Contains("desk", _served.Ask("GET", "/metrics", readOnly: readOnly).Body, StringComparison.Ordinal);
            Assert.NotEmpty(_served.Ask("GET", "/v1/events", readOnly: readOnly).Ok().EnumerateArray());
        });
    }

    [Fact]
    public void A_stranger_sees_types_and_what_is_theirs()
    {
        if (IsNoRoot())
        {
            return;
        }

        _ = _served.Make("root-s");
        _ = _served.Make("bob-s", owner: 1234);
        InstanceView own = _served.Make("nobody-s", owner: Nobody);

        Assert.Single(AsNobody("GET", "/v1/types").Ok().EnumerateArray());
        Assert.Equal("nobody-s", Assert.Single(AsNobody("GET", "/v1/instances").Ok().EnumerateArray()).GetProperty("name").GetString());
        Assert.All(["nobody-s", own.Definition.Uuid.ToString()], name => Assert.Equal("nobody-s", AsNobody("GET", $"/v1/instances/{name}").Ok().GetProperty("name").GetString()));
        string absent = AsNobody("GET", "/v1/instances/absent").Body;
        foreach (string other in (string[])["root-s", "bob-s", _served.Bus.Find("bob-s").Definition.Uuid.ToString()])
        {
            Assert.Equal(absent.Replace("absent", other, StringComparison.Ordinal), AsNobody("GET", $"/v1/instances/{other}").Body);
        }

        AsNobody("GET", "/metrics").IsProblem(403, "metrics are for root and members of the group vgpu", "forbidden");
        AsNobody("GET", "/v1/events").IsProblem(403, "events are for root", "forbidden");
        AsNobody("GET", "/v1/events?follow=true").IsProblem(403, "events are for root", "forbidden");
        AsNobody("DELETE", "/v1/instances/nobody-s").IsProblem(403, "this socket only shows", "forbidden");
        Assert.Equal(0, AsNobody("GET", "/v1/types", socket: _served.Socket).Status);
    }

    [Fact]
    public void Who_is_let_in_owns_what_they_make()
    {
        if (IsNoRoot())
        {
            return;
        }

        // As the group's members are, by the socket's mode.
        File.SetUnixFileMode(_served.Socket, (UnixFileMode)0b110_110_110);

        JsonElement made = Make("""{"parent":"software0","type":"bochs-16m","name":"mine"}""").Ok(201);
        Assert.Equal($"{{\"uid\":{Nobody},\"gid\":{Nobody}}}", made.GetProperty("owner").GetRawText());
        Make("""{"parent":"software0","type":"bochs-16m","name":"root-s","owner":{"uid":0,"gid":0}}""").IsProblem(403, $"leave the owner out, and it is yours ({Nobody}:{Nobody})", "forbidden");
        Make($$"""{"parent":"software0","type":"bochs-16m","name":"group-s","owner":{"gid":0,"uid":{{Nobody}} } }""").IsProblem(403, "only root", "forbidden");
        AsNobody("PATCH", "/v1/instances/mine", """{"owner":"0:0"}""", _served.Socket).IsProblem(403, "only root may give an instance away", "forbidden");
        Assert.Equal(["mine"], _served.Bus.Instances().Select(instance => instance.Definition.Name));

        Answer Make(string body) => AsNobody("POST", "/v1/instances", body, _served.Socket);
    }

    [Fact]
    public void A_flood_of_connections_is_bounded_and_takes_nothing_from_others()
    {
        // Those who see all may have 256 of both doors; a connection counts once it is answered.
        var held = Enumerable.Range(0, 256).Select(_ => Served.Connect(_served.Socket)).ToList();
        Assert.All(held, socket => Assert.StartsWith("HTTP/1.1 200", Ask(socket), StringComparison.Ordinal));

        using (var late = Served.Connect(_served.Socket))
        {
            Assert.Empty(Ask(late));
        }

        Assert.True(IsNoRoot() || AsNobody("GET", "/v1/types").Status == 200);
        held.ForEach(socket => socket.Dispose());
        Assert.True(SpinWait.SpinUntil(() => { using var next = Served.Connect(_served.Socket); return Ask(next).Length > 0; }, TimeSpan.FromSeconds(60)));
    }

    private static string Ask(System.Net.Sockets.Socket socket)
    {
        byte[] answer = new byte[4096];
        _ = socket.Send("GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"u8, System.Net.Sockets.SocketFlags.None, out _);
        int length = socket.Receive(answer, System.Net.Sockets.SocketFlags.None, out _);
        return System.Text.Encoding.ASCII.GetString(answer, 0, length);
    }

    private bool IsNoRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Empty(_served.Ask("GET", "/v1/instances", readOnly: true).Ok().EnumerateArray());
        }

        return !Environment.IsPrivilegedProcess;
    }

    private Answer AsNobody(string method, string path, string? body = null, string? socket = null)
    {
        string data = body is null ? string.Empty : $"--data-binary '{body}'";
        string script = $"curl -s -X {method} {data} -w '\\n%{{http_code}}\\n%{{content_type}}' --unix-socket {socket ?? _served.ReadOnlySocket} 'http://vgpud{path}'";
        using Process curl = Process.Start(new ProcessStartInfo("setpriv", ["--reuid", $"{Nobody}", "--regid", $"{Nobody}", "--clear-groups", "bash", "-c", script]) { RedirectStandardOutput = true })!;
        string[] lines = curl.StandardOutput.ReadToEnd().Split('\n');
        curl.WaitForExit();
        return new Answer(int.Parse(lines[^2], null), lines[^1], string.Join('\n', lines[..^2]));
    }
}
