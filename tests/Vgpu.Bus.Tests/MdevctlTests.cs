using System.Diagnostics;
using System.Text.Json;

namespace Vgpu.Bus.Tests;

/// <summary>
/// Stock mdevctl (1.2 or later) on our folder of definitions, which stands at /etc/mdevctl.d in a mount namespace of its own:
/// not every version can be told of another root.
/// </summary>
public sealed class MdevctlTests
{
    [Fact]
    public void It_lists_ours_as_its_own()
    {
        using var rig = new Rig();
        Guid desk = rig.Create("desk", auto: true, settings: ("memory_limit", "64m")).Definition.Uuid;
        Guid other = rig.Create("other", type: "large", start: false).Definition.Uuid;

        string[] lines = Mdevctl(rig, "list", "--defined").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(new[] { $"{desk} gpu0 small auto", $"{other} gpu0 large manual" }.Order(), lines.Order());

        using JsonDocument dump = JsonDocument.Parse(Mdevctl(rig, "list", "--defined", "--dumpjson", "-u", desk.ToString()));
        Assert.Equal("""[{"name":"desk"},{"memory_limit":"67108864"}]""", JsonSerializer.Serialize(dump.RootElement.GetProperty("attrs")));
    }

    [Fact]
    public void What_it_defines_modifies_and_undefines_we_follow()
    {
        using var rig = new Rig();
        Assert.Empty(rig.Names());
        string uuid = Mdevctl(rig, "define", "-p", "gpu0", "-t", "small", "--auto").Trim();
        Assert.Equal((uuid, InstanceState.Stopped, true), (rig.Bus.Instances()[0].Definition.Uuid.ToString(), rig.Bus.Find(uuid).State, rig.Bus.Find(uuid).Definition.Auto));

        Mdevctl(rig, "modify", "-u", uuid, "--addattr", "name", "--value", "desk");
        Mdevctl(rig, "modify", "-u", uuid, "--addattr", "memory_limit", "--value", "64m");
        Mdevctl(rig, "modify", "-u", uuid, "--manual");
        InstanceView view = rig.Bus.Find("desk");
        Assert.Equal((64 * Rig.MiB, false), (view.MemoryLimit, view.Definition.Auto));

        Mdevctl(rig, "undefine", "-u", uuid);
        Assert.Empty(rig.Names());
        Assert.False(Directory.Exists(rig.SetAside));
    }

    [Fact]
    public void What_it_rewrites_of_ours_keeps_all_but_the_version_which_is_then_the_first()
    {
        using var rig = new Rig();
        Guid uuid = rig.Bus.Create(new CreateRequest
        {
            Parent = "gpu0",
            Type = "small",
            Name = "desk",
            After = ["other"],
            Owner = new InstanceOwner(1, 2),
            Settings = new Dictionary<string, string> { ["mode"] = "800x600" },
            Start = false,
        }).Definition.Uuid;

        Mdevctl(rig, "modify", "-u", uuid.ToString(), "--auto");

        Assert.DoesNotContain("vgpu_version", File.ReadAllText(rig.FileOf(uuid)), StringComparison.Ordinal);
        InstanceDefinition read = rig.Again(start: false).Find("desk").Definition;
        Assert.Equal((true, "other", new InstanceOwner(1, 2), "800x600"), (read.Auto, Assert.Single(read.After), read.Owner!.Value, read.Settings["mode"]));

        // And ours again is one that it reads.
        rig.Bus.Set("desk", new Dictionary<string, string?> { ["auto"] = "off" });
        Assert.Equal($"{uuid} gpu0 small manual\n", Mdevctl(rig, "list", "--defined").TrimEnd('\n') + "\n");
    }

    [Fact]
    public void A_file_that_stops_it_from_listing_anything_is_set_aside_and_it_lists_again()
    {
        using var rig = new Rig();
        Guid uuid = rig.Create("desk", start: false).Definition.Uuid;
        rig.Write("no JSON");
        rig.Again();
        Assert.StartsWith(uuid.ToString(), Mdevctl(rig, "list", "--defined"), StringComparison.Ordinal);
    }

    private static string Mdevctl(Rig rig, params string[] arguments)
    {
        const string Script = """mount --bind "$0" /etc/mdevctl.d && exec mdevctl "$@" """;
        string[] unshare = Environment.UserName == "root" ? ["--mount"] : ["--map-root-user", "--mount"];
        var start = new ProcessStartInfo("unshare", [.. unshare, "sh", "-c", Script, rig.Definitions, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"mdevctl {string.Join(' ', arguments)}: {errors.Result}; it is in the package mdevctl");
        return output;
    }
}
