using System.Text.Json;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>What the page asks for.</summary>
public sealed class ApiTests : IDisposable
{
    private readonly Served _served = new();

    public void Dispose() => _served.Dispose();

    [Fact]
    public void The_list_has_every_vGPU_with_what_it_does()
    {
        _served.Vgpus.Add("desk").Show(Pictures.Flat(640, 480, 1, 2, 3));
        FakeVgpu broken = _served.Vgpus.Add("wall", ConsoleVgpuState.Failed);
        _served.Vgpus.Change(broken, facts => facts with { Problem = "no memory" });

        Answer answer = _served.Ask("GET", "/api/vgpus").Is(200);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        JsonElement[] all = [.. answer.Json.GetProperty("vgpus").EnumerateArray()];
        Assert.Equal(["desk", "wall"], all.Select(each => each.GetProperty("name").GetString()));
        Assert.Equal(["running", "failed"], all.Select(each => each.GetProperty("state").GetString()));
        Assert.Equal("no memory", all[1].GetProperty("problem").GetString());
        Assert.Equal(96 << 20, all[0].GetProperty("memory_used").GetInt64());
        Assert.Equal(256 << 20, all[0].GetProperty("memory_limit").GetInt64());
        Assert.Equal("640x480", all[0].GetProperty("modes")[0].GetString());
        Assert.Equal(0, all[1].GetProperty("modes").GetArrayLength());
    }

    [Fact]
    public async Task Who_knows_the_list_is_answered_when_it_changes()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        string etag = _served.Ask("GET", "/api/vgpus").Json.GetProperty("etag").GetString()!;

        Task<Answer> next = Task.Run(() => _served.Ask("GET", $"/api/vgpus?after={etag}"), TestContext.Current.CancellationToken);
        _served.Vgpus.Change(desk, facts => facts with { State = ConsoleVgpuState.Stopped });

        JsonElement list = (await next).Is(200).Json;
        Assert.Equal("stopped", list.GetProperty("vgpus")[0].GetProperty("state").GetString());
        Assert.NotEqual(etag, list.GetProperty("etag").GetString());
    }

    [Fact]
    public void A_picture_is_the_screen_s_pixel_for_pixel()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk 7\"; x");
        Picture shown = desk.Show(Pictures.Hills(801, 333));

        Answer answer = _served.Ask("GET", $"/api/vgpus/{desk.Facts.Uuid}/picture.png").Is(200);
        Assert.Equal("image/png", answer.Header("Content-Type"));
        Assert.Equal("attachment; filename=\"desk-7---x.png\"", answer.Header("Content-Disposition"));
        Picture read = PngReader.Read(answer.Body);
        Assert.Equal((801, 333), (read.Width, read.Height));
        Assert.True(read.Pixels.Span.SequenceEqual(shown.Pixels.Span));
    }

    [Fact]
    public void No_picture_where_nothing_is_shown()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _served.Ask("GET", $"/api/vgpus/{desk.Facts.Uuid}/picture.png").IsProblem(404, "desk shows nothing");
        _served.Ask("GET", $"/api/vgpus/{Guid.NewGuid()}/picture.png").IsProblem(404, "no such vGPU");
        _ = _served.Ask("GET", $"/api/vgpus/{desk.Facts.Uuid}/thumbnail").Is(204);
        _ = _served.Ask("GET", $"/api/vgpus/{Guid.NewGuid()}/thumbnail").Is(204);
    }

    [Fact]
    public void A_thumbnail_is_the_screen_made_small_and_sent_once()
    {
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(1920, 1080, 10, 200, 30));
        string path = $"/api/vgpus/{desk.Facts.Uuid}/thumbnail";

        Answer first = _served.Ask("GET", path).Is(200);
        Picture read = PngReader.Read(first.Body);
        Assert.Equal((480, 270), (read.Width, read.Height));
        Assert.Equal([30, 200, 10, 255], read.Pixels[..4].ToArray());
        Assert.Empty(_served.Ask("GET", path, Served.Token, body: null, ("If-None-Match", first.Header("ETag"))).Is(304).Body);

        _ = desk.Show(Pictures.Flat(1920, 1080, 10, 20, 30));
        Workplace.Eventually(() => _served.Ask("GET", path).Header("ETag") != first.Header("ETag"));
        Assert.Equal([30, 20, 10, 255], PngReader.Read(_served.Ask("GET", path).Body).Pixels[..4].ToArray());
    }

    [Fact]
    public void Many_who_look_at_once_cost_one_look()
    {
        var clock = new SetClock();
        using var served = new Served(clock: clock);
        FakeVgpu desk = served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Flat(640, 480, 1, 2, 3));
        for (int second = 1; second < 20; second++)
        {
            Parallel.For(0, 8, _ => served.Ask("GET", $"/api/vgpus/{desk.Facts.Uuid}/thumbnail").Is(200));
            Assert.Equal(second, served.Vgpus.Glances);
            clock.Pass(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void A_browser_s_own_copy_of_the_page_is_asked_about()
    {
        Answer page = _served.Ask("GET", "/style.css", token: null).Is(200);
        _ = _served.Ask("GET", "/style.css", token: null, body: null, ("If-None-Match", page.Header("ETag"))).Is(304);
        Answer packed = _served.Ask("GET", "/style.css", token: null, body: null, ("Accept-Encoding", "br, gzip")).Is(200);
        Assert.Equal("gzip", packed.Header("Content-Encoding"));
        Assert.True(packed.Body.Length < page.Body.Length);
        Assert.Empty(_served.Ask("HEAD", "/", token: null).Is(200).Body);
    }

    [Fact]
    public async Task The_end_comes_at_once_for_those_who_wait()
    {
        using var served = new Served();
        string etag = served.Ask("GET", "/api/vgpus").Json.GetProperty("etag").GetString()!;
        Task<Answer> waiting = Task.Run(() => served.Ask("GET", $"/api/vgpus?after={etag}"), TestContext.Current.CancellationToken);
        Workplace.Eventually(() => served.Vgpus.Lists >= 2);
        served.End();
        _ = (await waiting).Is(200);
    }
}
