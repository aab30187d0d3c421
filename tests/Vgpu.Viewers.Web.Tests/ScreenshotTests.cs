using System.Text.Json;
using Vgpu.Testing;

namespace Vgpu.Viewers.Web.Tests;

/// <summary>The pages as they look. With VGPU_SCREENSHOTS, a folder, they are kept there: docs/console.png is list.png.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ScreenshotTests : IDisposable
{
    private readonly Browser _browser;
    private readonly Served _served = new();
    private readonly FakeVgpu _build;

    public ScreenshotTests(Browser browser)
    {
        _browser = browser;
        FakeVgpu atelier = _served.Vgpus.Add("atelier");
        _ = atelier.Show(Pictures.Hills(1920, 1080));
        _served.Vgpus.Change(atelier, facts => facts with { Type = "virtio-gpu-512m", MemoryUsed = 342ul << 20, MemoryLimit = 512ul << 20 });
        _build = _served.Vgpus.Add("build-host");
        _ = _build.Show(Pictures.Console());
        _served.Vgpus.Change(_build, facts => facts with { MemoryUsed = 12ul << 20 });
        FakeVgpu desk = _served.Vgpus.Add("desk");
        _ = desk.Show(Pictures.Desktop(1600, 900));
        FakeVgpu lab = _served.Vgpus.Add("lab", ConsoleVgpuState.Failed);
        _served.Vgpus.Change(lab, facts => facts with { Type = "bochs-16m", MemoryUsed = 0, MemoryLimit = 16 << 20, Problem = "its parent software0 has no memory left: 16 MiB are asked for" });
        FakeVgpu spare = _served.Vgpus.Add("spare", ConsoleVgpuState.Stopped);
        _served.Vgpus.Change(spare, facts => facts with { MemoryUsed = 0 });
    }

    public void Dispose() => _served.Dispose();

    [Theory]
    [InlineData("light", 1280, 1040, "list")]
    [InlineData("dark", 1280, 1040, "list-dark")]
    [InlineData("light", 360, 740, "list-telephone")]
    public void The_list(string scheme, int width, int height, string name)
    {
        _browser.Fresh(new { colorScheme = scheme, viewport = new { width, height } });
        int shown = _browser.Run("""
            await page.goto(given.link);
            await page.waitForFunction(least => document.querySelectorAll('canvas:not([hidden])').length >= least, given.least);
            await page.screenshot(given.path ? { path: given.path } : {});
            return await page.locator('.card').count();
            """, new { link = _served.Link(), least = width > 400 ? 3 : 1, path = PathOf(name) }).GetInt32();
        Assert.Equal(5, shown);
    }

    [Theory]
    [InlineData("light", 1280, 860, "console")]
    [InlineData("dark", 1280, 860, "console-dark")]
    [InlineData("light", 360, 740, "console-telephone")]
    public void A_console(string scheme, int width, int height, string name)
    {
        _browser.Fresh(new { colorScheme = scheme, viewport = new { width, height } });
        JsonElement seen = _browser.Run("""
            await page.goto(given.link);
            await page.waitForFunction(() => document.body.classList.contains('connected'));
            await page.waitForFunction(() => {
              const canvas = document.querySelector('#screen canvas');
              return canvas.width === 1024 && canvas.getContext('2d').getImageData(0, 0, 300, 200).data.some((value, index) => index % 4 < 3 && value > 100);
            });
            await page.screenshot(given.path ? { path: given.path } : {});
            return { wide: await page.evaluate(() => document.documentElement.scrollWidth), errors };
            """, new { link = _served.Link(_build.Facts.Name), path = PathOf(name) });
        Assert.InRange(seen.GetProperty("wide").GetInt32(), 1, width);
        Assert.Equal(0, seen.GetProperty("errors").GetArrayLength());
    }

    private static string? PathOf(string name) =>
        Environment.GetEnvironmentVariable("VGPU_SCREENSHOTS") is string folder ? Path.Combine(folder, name + ".png") : null;
}
