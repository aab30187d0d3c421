using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Vgpu.Bus;

namespace Vgpu.Cli.Tests;

/// <summary><c>vgpu top</c>: what it says of vGPUs that work, in a terminal, to a program and to a file.</summary>
public sealed partial class TopTests : IDisposable
{
    private readonly FakeDaemon _daemon = new();

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public void Once_is_a_table_with_everything_in_it()
    {
        _ = _daemon.Make("desk");
        _ = Make("a-vgpu-that-does-nothing-yet", start: false);

        string[] lines = _daemon.Run("top", "--once", "--interval", "0.2").AssertDone().TrimEnd('\n').Split('\n');

        Assert.Matches(@"^\d\d:\d\d:\d\d  2 vGPUs, 1 running, CPU 0\.0%, memory 12M$", lines[0]);
        Assert.Equal(
            [
                "NAME                          STATE     CPU%   GPU%  WAIT%      MEMORY    FPS  VIEWED/s  REQ/s",
                "desk                          running    0.0      -      -    12M/256M    0.0         0      0",
                "a-vgpu-that-does-nothing-yet  stopped      -      -      -        256M      -         -      -",
            ],
            lines[1..]);
    }

    [Fact]
    public void Rates_are_what_was_done_between_two_looks()
    {
        _ = _daemon.Make("desk");
        _daemon.Bus.Work("desk", gpu: TimeSpan.FromSeconds(1), throttled: TimeSpan.FromSeconds(1)); // It renders.
        using Process top = Cli.Start(["top", "--json", "--interval", "0.2", "--socket", _daemon.Socket]);
        _ = top.StandardOutput.ReadLine();
        _daemon.Bus.Work("desk", TimeSpan.FromSeconds(1), frames: 500, viewedBytes: 2_000_000, requests: 1000, gpu: TimeSpan.FromSeconds(2), throttled: TimeSpan.FromSeconds(3));

        // All of it is in one look, whichever that is; how long that took is the machine's.
        JsonElement row = First(top, row => row.GetProperty("frames_per_second").GetDouble() > 0);

        double seconds = 500 / row.GetProperty("frames_per_second").GetDouble();
        Assert.Equal(100, row.GetProperty("cpu_percent").GetDouble() * seconds, 1e-3);
        Assert.Equal(200, row.GetProperty("gpu_percent").GetDouble() * seconds, 1e-3);
        Assert.Equal(300, row.GetProperty("throttled_percent").GetDouble() * seconds, 1e-3);
        Assert.Equal(2_000_000, row.GetProperty("viewed_bytes_per_second").GetDouble() * seconds, 1e-3);
        Assert.Equal(1000, row.GetProperty("requests_per_second").GetDouble() * seconds, 1e-3);
        Assert.Equal((12UL << 20, 256UL << 20), (row.GetProperty("memory_used").GetUInt64(), row.GetProperty("memory_limit").GetUInt64()));
        Assert.Equal(("desk", "running"), (row.GetProperty("name").GetString(), row.GetProperty("state").GetString()));
        Cli.Signal(top, "INT");
        Assert.Equal((0, string.Empty), Cli.End(top) is { } ended ? (ended.Status, ended.Errors) : default);
    }

    [Fact]
    public void Another_worker_s_numbers_are_not_compared_with_those_of_the_one_before()
    {
        _ = _daemon.Make("desk");
        using Process top = Cli.Start(["top", "--json", "--interval", "0.2", "--socket", _daemon.Socket]);
        _ = top.StandardOutput.ReadLine();
        _daemon.Bus.Replace("desk", pid: 4343);

        JsonElement row = First(top, row => !row.TryGetProperty("cpu_percent", out _));

        Assert.False(row.TryGetProperty("requests_per_second", out _));
        Assert.Equal(0, row.GetProperty("frames_per_second").GetDouble());
        Assert.Equal(0, First(top, row => row.TryGetProperty("cpu_percent", out _)).GetProperty("cpu_percent").GetDouble());
        Cli.Signal(top, "TERM");
        Assert.Equal(0, Cli.End(top).Status);
    }

    [Theory]
    [InlineData("name", "a b c")]
    [InlineData("memory", "a b c")]
    [InlineData("fps", "b a c")]
    [InlineData("viewed", "a b c")]
    public void Rows_are_sorted(string key, string names)
    {
        foreach (string name in (string[])["b", "a", "c"])
        {
            _ = Make(name, start: name != "c");
        }

        using Process top = Cli.Start(["top", "--json", "--interval", "0.2", "--sort", key, "--socket", _daemon.Socket]);
        _ = top.StandardOutput.ReadLine();
        _daemon.Bus.Work("b", frames: 50);
        _daemon.Bus.Work("a", viewedBytes: 1);
        string? line;
        do
        {
            line = top.StandardOutput.ReadLine();
        }
        while (!Moved().IsMatch(line!));

        Assert.Equal(names.Split(' '), JsonDocument.Parse(line!).RootElement.EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Cli.Signal(top, "INT");
        _ = Cli.End(top);
    }

    // As wide as terminals have been for long: nothing is broken over two lines, and a name that is too long says so.
    [Fact]
    public void A_terminal_is_written_over_and_never_beyond_its_width()
    {
        string name = new('n', 64);
        _ = Make(name, start: true);
        for (int i = 0; i < 12; i++)
        {
            _ = Make($"vgpu-{i}", start: false);
        }

        using Process terminal = Process.Start(new ProcessStartInfo("script", ["--quiet", "--command", $"stty cols 80 rows 10; TERM=xterm dotnet '{Cli.Program}' top --interval 0.2 --socket '{_daemon.Socket}'", "/dev/null"])
        {
            RedirectStandardOutput = true,
        })!;
        var written = new System.Text.StringBuilder();
        while (Home().Count(written.ToString()) < 3)
        {
            int next = terminal.StandardOutput.Read();
            Assert.True(next >= 0, written.ToString());
            written.Append((char)next);
        }

        _daemon.End();
        terminal.StandardOutput.ReadToEnd();
        terminal.WaitForExit();

        string[] looks = Home().Split(written.ToString());
        string[] lines = [.. looks[2].Split('\n').Select(line => Escapes().Replace(line, string.Empty).TrimEnd('\r'))];
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.StartsWith("nnnnnnnnnn", lines[2], StringComparison.Ordinal);
        Assert.Matches(@"^n+\+  running ", lines[2]);
        Assert.Equal("... and 7 more", lines[8]);
        Assert.InRange(lines.Length, 9, 10);
    }

    [Fact]
    public void A_file_gets_what_is_written_before_and_after_it_too()
    {
        _ = _daemon.Make("desk");
        string top = $"vgpu top --once --interval 0.2 --socket '{_daemon.Socket}'";

        string file = Cli.Bash($"{{ echo before; {top}; {top}; echo after; }} >'{_daemon["file"]}'; cat '{_daemon["file"]}'").AssertDone();

        Assert.Matches(@"^before\n[^\n]*1 running[^\n]*\nNAME[^\n]*\ndesk[^\n]*\n[^\n]*1 running[^\n]*\nNAME[^\n]*\ndesk[^\n]*\nafter\n$", file);
    }

    [Fact]
    public void It_ends_when_nobody_reads()
    {
        _ = _daemon.Make("desk");

        Assert.Contains("1 running", Cli.Bash($"set -o pipefail; vgpu top --interval 0.2 --socket '{_daemon.Socket}' | head -n 1").AssertDone(), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_are_one_line()
    {
        _daemon.Run("top", "--interval", "0").AssertOneLine(2, "--interval is a number of seconds from 0.2 to 3600");
        _daemon.Run("top", "--interval", "NaN").AssertOneLine(2, "--interval is a number of seconds from 0.2 to 3600");
        _daemon.Run("top", "--interval", "soon").AssertOneLine(2, "--interval", "'vgpu top --help' shows how");
        _daemon.Run("top", "--sort", "luck").AssertOneLine(2, "luck", "'vgpu top --help' shows how");
        _daemon.End();
        _daemon.Run("top", "--once").AssertOneLine(1, "no daemon answers at");
    }

    private InstanceView Make(string name, bool start) =>
        _daemon.Bus.Create(new CreateRequest { Parent = "software0", Type = start ? "bochs-16m" : "virtio-gpu-256m", Name = name, Start = start });

    private static JsonElement First(Process top, Func<JsonElement, bool> isMeant)
    {
        while (true)
        {
            JsonElement row = JsonDocument.Parse(top.StandardOutput.ReadLine()!).RootElement[0];
            if (isMeant(row))
            {
                return row;
            }
        }
    }

    [GeneratedRegex(@"_per_second"":[^,}]*[1-9]")]
    private static partial Regex Moved();

    [GeneratedRegex("\u001b\\[H")]
    private static partial Regex Home();

    [GeneratedRegex("\u001b\\[[0-9]*[A-Z]")]
    private static partial Regex Escapes();
}
