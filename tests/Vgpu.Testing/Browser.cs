using System.Diagnostics;
using System.Text.Json;

namespace Vgpu.Testing;

/// <summary>Debian's Chromium, headless, driven by Playwright in a Node.js of its own; one for many tests.</summary>
public sealed class Browser : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process? _node;

    public Browser()
    {
        string playwright = Path.Combine(Repository.Folder, "artifacts", "playwright");
        const string Chromium = "/usr/bin/chromium";
        if (Directory.Exists(playwright) && File.Exists(Chromium) && File.Exists("/usr/bin/node"))
        {
            _node = Process.Start(new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "browser.mjs"), playwright, Chromium])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
    }

    /// <summary>A browser that nobody has used yet, with Playwright's options for a context.</summary>
    public void Fresh(object? options = null) => _ = Say(new { options = options ?? new { viewport = new { width = 1280, height = 800 } } });

    /// <summary>Runs JavaScript over <c>page</c>, <c>context</c>, <c>given</c> and the page's <c>errors</c>; what it returns.</summary>
    public JsonElement Run(string script, object? given = null) => Say(new { script, given });

    public void Dispose()
    {
        if (_node is null)
        {
            return;
        }

        _node.StandardInput.Close();
        if (!_node.WaitForExit(s_patience))
        {
            _node.Kill(entireProcessTree: true);
        }

        _node.Dispose();
    }

    private JsonElement Say(object request)
    {
        Assert.SkipWhen(_node is null, "chromium or nodejs is not installed, or Playwright is missing: eng/npm playwright artifacts/playwright");
        _node.StandardInput.WriteLine(JsonSerializer.Serialize(request));
        _node.StandardInput.Flush();
        Task<string?> line = _node.StandardOutput.ReadLineAsync();
        Assert.True(line.Wait(s_patience), "the browser does not answer");
        Assert.True(line.Result is not null, "the browser has ended");
        JsonElement answer = JsonDocument.Parse(line.Result!).RootElement;
        Assert.False(answer.TryGetProperty("error", out JsonElement error), $"{error} {(answer.TryGetProperty("page", out JsonElement page) ? page : default)}");
        return answer.GetProperty("value");
    }
}
