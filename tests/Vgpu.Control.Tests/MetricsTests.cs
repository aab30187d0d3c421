using System.Net;
using System.Text.RegularExpressions;

namespace Vgpu.Control.Tests;

/// <summary>What a Prometheus reads.</summary>
public sealed partial class MetricsTests
{
    [Fact]
    public void An_instance_s_numbers_are_there_also_when_it_is_idle()
    {
        using var served = new Served();
        string desk = served.Make("desk").Definition.Uuid.ToString();
        string idle = served.Make("idle").Definition.Uuid.ToString();
        served.Bus.Stop("idle");
        served.Bus.Attach("desk", 99);
        string studio = served.Make("studio").Definition.Uuid.ToString();
        served.Bus.Work("studio", gpu: TimeSpan.FromSeconds(3), throttled: TimeSpan.FromSeconds(1.5));

        Dictionary<string, double> samples = Read(served.Ask("GET", "/metrics"));

        Assert.Equal(12 << 20, samples[$$"""vgpu_memory_used_bytes{uuid="{{desk}}"}"""]);
        Assert.Equal(0, samples[$$"""vgpu_memory_used_bytes{uuid="{{idle}}"}"""]);
        Assert.Equal(256 << 20, samples[$$"""vgpu_memory_limit_bytes{uuid="{{idle}}"}"""]);
        Assert.Equal(1, samples[$$"""vgpu_info{uuid="{{desk}}",name="desk",type="virtio-gpu-256m",parent="software0",client="99"}"""]);
        Assert.Equal(1, samples[$$"""vgpu_info{uuid="{{idle}}",name="idle",type="virtio-gpu-256m",parent="software0",client=""}"""]);
        Assert.Equal((1, 0), (samples[$$"""vgpu_running{uuid="{{desk}}"}"""], samples[$$"""vgpu_running{uuid="{{idle}}"}"""]));
        Assert.Equal((77, 1), (samples[$$"""vgpu_requests_total{uuid="{{desk}}"}"""], samples[$$"""vgpu_successions_total{uuid="{{desk}}"}"""]));
        Assert.Equal((2.5, 0), (samples[$$"""vgpu_worker_cpu_seconds_total{uuid="{{desk}}"}"""], samples[$$"""vgpu_worker_cpu_seconds_total{uuid="{{idle}}"}"""]));
        Assert.Equal((60, 4096), (samples[$$"""vgpu_frames_total{uuid="{{desk}}"}"""], samples[$$"""vgpu_viewed_bytes_total{uuid="{{desk}}"}"""]));
        Assert.Equal((3, 1.5), (samples[$$"""vgpu_gpu_seconds_total{uuid="{{studio}}"}"""], samples[$$"""vgpu_gpu_throttled_seconds_total{uuid="{{studio}}"}"""]));
        Assert.Equal((2 * (256 << 20), 1 << 30), (samples["""vgpu_parent_budget_used{parent="software0",budget="memory"}"""], samples["""vgpu_parent_budget_total{parent="software0",budget="memory"}"""]));
        Assert.Equal(2, samples["""vgpu_available_instances{parent="software0",type="virtio-gpu-256m"}"""]);
        Assert.DoesNotContain(samples.Keys, name => name.StartsWith("vgpu_gpu_", StringComparison.Ordinal) && !name.Contains(studio, StringComparison.Ordinal));
    }

    [Fact]
    public void With_nothing_there_every_family_still_is()
    {
        using var served = new Served();

        string text = served.Ask("GET", "/metrics").Body;

        Assert.All(["vgpu_info", "vgpu_memory_used_bytes", "vgpu_requests_total"], name => Assert.Contains($"# TYPE {name} ", text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_name_can_t_break_the_format()
    {
        using var served = new Served();
        _ = served.Make("a\"} 1\nvgpu_fake{x=\"\\");

        Dictionary<string, double> samples = Read(served.Ask("GET", "/metrics"));

        Assert.DoesNotContain(samples.Keys, name => name.StartsWith("vgpu_fake", StringComparison.Ordinal));
        Assert.Contains(samples.Keys, name => name.Contains("name=\"a\\\"} 1\\nvgpu_fake{x=\\\"\\\\\"", StringComparison.Ordinal));
    }

    [Fact]
    public void A_port_gives_metrics_alone_and_only_for_the_token()
    {
        var address = new IPEndPoint(IPAddress.Loopback, FreePort());
        using var served = new Served(metrics: new MetricsEndpoint(address, "secret"));
        _ = served.Make("desk");
        using var http = new HttpClient { BaseAddress = new Uri($"http://{address}/") };

        Assert.Equal(HttpStatusCode.Unauthorized, Get(http, "metrics", null).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, Get(http, "metrics", "Bearer secre").Status);
        Assert.Equal(HttpStatusCode.Unauthorized, Get(http, "metrics", "Basic secret").Status);
        Assert.Contains("vgpu_info{", Get(http, "metrics", "Bearer secret").Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, Get(http, "v1/instances", "Bearer secret").Status);
        Assert.Equal(HttpStatusCode.NotFound, Get(http, "METRICS/", null).Status);
    }

    [Fact]
    public void A_port_that_is_taken_is_one_line()
    {
        using var holder = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        holder.Start();

        var e = Assert.ThrowsAny<IOException>(() => new Served(metrics: new MetricsEndpoint((IPEndPoint)holder.LocalEndpoint, null)).Dispose());
        Assert.Contains("address already in use", e.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static (HttpStatusCode Status, string Body) Get(HttpClient http, string path, string? authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
        {
            request.Headers.Add("Authorization", authorization);
        }

        using HttpResponseMessage response = http.Send(request);
        return (response.StatusCode, new StreamReader(response.Content.ReadAsStream()).ReadToEnd());
    }

    // The text format as its specification has it, line by line: a family's help and type, then its samples.
    private static Dictionary<string, double> Read(Answer answer)
    {
        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (answer.Status, answer.MediaType));
        Assert.EndsWith("\n", answer.Body, StringComparison.Ordinal);
        var samples = new Dictionary<string, double>();
        string? family = null;
        foreach (string line in answer.Body.TrimEnd('\n').Split('\n'))
        {
            if (Comment().Match(line) is { Success: true } comment)
            {
                Assert.True(comment.Groups[1].Value == "HELP" || comment.Groups[2].Value == family);
                family = comment.Groups[2].Value;
                continue;
            }

            Match sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            Assert.Equal(family, sample.Groups[2].Value);
            samples.Add(sample.Groups[1].Value, double.Parse(sample.Groups[3].Value, System.Globalization.CultureInfo.InvariantCulture));
        }

        return samples;
    }

    [GeneratedRegex(@"^# (HELP|TYPE) ([a-z_]+) (.+)$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(([a-z_]+)\{[a-z]+=""(?:[^""\\\n]|\\[\\""n])*""(?:,[a-z]+=""(?:[^""\\\n]|\\[\\""n])*"")*\}) ([0-9]+(?:\.[0-9]+)?)$")]
    private static partial Regex Sample();
}
