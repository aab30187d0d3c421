using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Control.Tests;

/// <summary>Each route as an operator uses it.</summary>
public sealed class RoutesTests : IDisposable
{
    private readonly Served _served = new();

    public void Dispose() => _served.Dispose();

    [Fact]
    public void Types_are_listed_with_what_is_left()
    {
        _ = _served.Make("desk");

        JsonElement parent = Assert.Single(_served.Ask("GET", "/v1/types").Ok().EnumerateArray());
        JsonElement type = parent.GetProperty("types")[0];

        Assert.Equal("software0", parent.GetProperty("name").GetString());
        Assert.Equal((256UL << 20, 1UL << 30), (parent.GetProperty("budgets").GetProperty("memory").GetProperty("used").GetUInt64(), parent.GetProperty("budgets").GetProperty("memory").GetProperty("total").GetUInt64()));
        Assert.Equal(("virtio-gpu-256m", "vfio-user-pci", 3, 1920), (type.GetProperty("name").GetString(), type.GetProperty("device_api").GetString(), type.GetProperty("available_instances").GetInt32(), type.GetProperty("max_width").GetInt32()));
    }

    [Fact]
    public void An_instance_lives_from_post_to_delete()
    {
        Assert.Empty(_served.Ask("GET", "/v1/instances").Ok().EnumerateArray());
        JsonElement made = _served.Ask("POST", "/v1/instances", """
            {"parent":"software0","type":"virtio-gpu-256m","name":"desk","uuid":"11111111-2222-3333-4444-555555555555","auto":true,"after":["db"],"settings":{"mode":"1920x1080","heads":2,"guest_blobs":true},"start":false,"owner":{"uid":7,"gid":8}}
            """).Ok(201);

        Assert.Equal(("desk", "stopped", true, true), (made.GetProperty("name").GetString(), made.GetProperty("state").GetString(), made.GetProperty("auto").GetBoolean(), made.GetProperty("persistent").GetBoolean()));
        Assert.Equal("""{"guest_blobs":"true","heads":"2","mode":"1920x1080"}""", made.GetProperty("settings").GetRawText());
        Assert.Equal("""["db"]""", made.GetProperty("after").GetRawText());
        Assert.Equal("""{"uid":7,"gid":8}""", made.GetProperty("owner").GetRawText());
        Assert.False(made.TryGetProperty("worker", out _) || made.TryGetProperty("paths", out _));

        JsonElement started = _served.Ask("POST", "/v1/instances/desk/start").Ok();
        Assert.Equal(("running", "/run/vgpu/11111111-2222-3333-4444-555555555555/vfio.sock"), (started.GetProperty("state").GetString(), started.GetProperty("paths").GetProperty("socket").GetString()));
        Assert.Equal("""{"pid":4242,"memory_used":12582912,"memory_limit":268435456,"modes":[{"width":1920,"height":1080,"refresh_hertz":60},null],"requests":77,"successions":1,"cpu_nanoseconds":2500000000,"frames":60,"viewed_bytes":4096}""", started.GetProperty("worker").GetRawText());
        Assert.Equal(2, _served.Ask("POST", "/v1/instances/11111111-2222-3333-4444-555555555555/upgrade").Ok().GetProperty("worker").GetProperty("successions").GetInt32());
        JsonElement changed = _served.Ask("PATCH", "/v1/instances/desk", """{"memory_limit":1048576,"auto":false,"mode":null,"name":"table"}""").Ok();
        Assert.Equal(("table", false, 1 << 20), (changed.GetProperty("name").GetString(), changed.GetProperty("auto").GetBoolean(), changed.GetProperty("memory_limit").GetInt32()));
        Assert.Equal(changed.GetRawText(), _served.Ask("GET", "/v1/instances/table").Ok().GetRawText());
        Assert.Equal(changed.GetRawText(), Assert.Single(_served.Ask("GET", "/v1/instances").Ok().EnumerateArray()).GetRawText());

        Assert.Equal(new Answer(204, string.Empty, string.Empty), _served.Ask("POST", "/v1/instances/table/stop"));
        Assert.Equal(204, _served.Ask("DELETE", "/v1/instances/table").Status);
        _served.Ask("GET", "/v1/instances/table").IsProblem(404, "there is no instance 'table'", "not_found");
        Assert.Equal(
            ["created", "started", "upgraded", "changed", "stopped", "removed"],
            _served.Ask("GET", "/v1/events").Ok().EnumerateArray().Select(happened => happened.GetProperty("kind").GetString()));
        Assert.Equal([5, 6], _served.Ask("GET", "/v1/events?after=4").Ok().EnumerateArray().Select(happened => happened.GetProperty("number").GetInt32()));
    }

    [Fact]
    public void Viewers_are_told_where_and_how_or_that_there_are_none()
    {
        ViewerAddresses? found = null;
        using var served = new Served(viewers: _ => found);
        _ = served.Make("desk");

        served.Ask("GET", "/v1/instances/desk/viewers").IsProblem(404, "nobody shows desk", "not_found");
        found = new ViewerAddresses { Web = "http://127.0.0.1:6080/?token=t#desk", Vnc = "127.0.0.1:5900", VncPassword = "p" };

        Assert.Equal(
            """{"web":"http://127.0.0.1:6080/?token=t#desk","vnc":"127.0.0.1:5900","vnc_password":"p"}""",
            served.Ask("GET", "/v1/instances/desk/viewers").Ok().GetRawText());
        served.Ask("GET", "/v1/instances/chair/viewers").IsProblem(404, "there is no instance 'chair'", "not_found");
    }

    [Fact]
    public void What_is_left_out_is_the_bus_s_choice()
    {
        JsonElement made = _served.Ask("POST", "/v1/instances", """{"parent":"software0","type":"bochs-16m"}""").Ok(201);

        Assert.Equal(("bochs-16m-1", "running", true, false), (made.GetProperty("name").GetString(), made.GetProperty("state").GetString(), made.GetProperty("persistent").GetBoolean(), made.GetProperty("auto").GetBoolean()));
        Assert.False(made.TryGetProperty("owner", out _));
    }

    [Fact]
    public void An_attached_one_is_removed_by_force_alone()
    {
        _ = _served.Make("desk");
        _served.Bus.Attach("desk", 99);

        _served.Ask("DELETE", "/v1/instances/desk").IsProblem(409, "has a client, process 99", "busy");
        _served.Ask("DELETE", "/v1/instances/desk?force=yes").IsProblem(400, "'force' is true or false", "invalid");
        Assert.Equal(204, _served.Ask("DELETE", "/v1/instances/desk?force=true").Status);
    }

    [Theory]
    [InlineData(BusError.Invalid, 400, "invalid")]
    [InlineData(BusError.NotFound, 404, "not_found")]
    [InlineData(BusError.Exists, 409, "exists")]
    [InlineData(BusError.Exhausted, 507, "exhausted")]
    [InlineData(BusError.Busy, 409, "busy")]
    [InlineData(BusError.Forbidden, 403, "forbidden")]
    [InlineData(BusError.Failed, 500, "failed")]
    public void The_bus_s_refusal_is_a_problem_with_its_line(BusError error, int status, string name)
    {
        _served.Bus.Failure = new BusException(error, "no; do this instead");

        foreach ((string method, string path, string? body) in (ReadOnlySpan<(string, string, string?)>)[
            ("GET", "/v1/types", null), ("GET", "/v1/instances", null), ("GET", "/v1/instances/a", null), ("PATCH", "/v1/instances/a", "{}"), ("DELETE", "/v1/instances/a", null),
            ("POST", "/v1/instances", """{"parent":"p","type":"t"}"""), ("POST", "/v1/instances/a/start", null), ("POST", "/v1/instances/a/stop", null),
            ("POST", "/v1/instances/a/upgrade", null), ("GET", "/v1/events", null), ("GET", "/v1/events?follow=true", null), ("GET", "/metrics", null)])
        {
            _served.Ask(method, path, body).IsProblem(status, "no; do this instead", name);
        }
    }

    [Fact]
    public void A_failure_that_nobody_foresaw_is_a_line_here_and_whole_in_the_log()
    {
        _served.Bus.Failure = new InvalidOperationException("secret of the house");

        Answer answer = _served.Ask("GET", "/v1/types");

        answer.IsProblem(500, "its log says why", "failed");
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
        Assert.Contains(_served.Log.Lines, line => line.Contains("GET /v1/types failed", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_budget_is_not_given_twice()
    {
        for (int i = 0; i < 4; i++)
        {
            _ = _served.Make($"desk{i}");
        }

        _served.Ask("POST", "/v1/instances", """{"parent":"software0","type":"virtio-gpu-256m"}""").IsProblem(507, "No available instances", "exhausted");
    }
}
