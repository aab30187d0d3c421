using System.Text.Json;

namespace Vgpu.Cli.Tests;

/// <summary>What commands say where nothing is set up and nothing is served.</summary>
public sealed class EmptyMachineTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Doctor_names_a_mend_for_each_missing_thing()
    {
        Outcome outcome = Cli.RunWithCache(_folder["cache"], "doctor", "--json");

        Assert.Equal((1, string.Empty), (outcome.Status, outcome.Errors));
        using var list = JsonDocument.Parse(outcome.Output);
        JsonElement[] missing = [.. list.RootElement.EnumerateArray().Where(thing => !thing.GetProperty("ok").GetBoolean())];
        Assert.All(missing, thing => Assert.NotEmpty(thing.GetProperty("mend").GetString()!));
        Assert.All(["guest kernel", "guest initramfs", "OVMF"], name => Assert.Contains(missing, thing => thing.GetProperty("name").GetString() == name));
        Assert.Contains(missing, thing => thing.GetProperty("required").GetBoolean() && thing.GetProperty("name").GetString()!.StartsWith("QEMU ", StringComparison.Ordinal));
        Assert.All(list.RootElement.EnumerateArray().Except(missing), thing => Assert.NotEmpty(thing.GetProperty("found").GetString()!));
    }

    [Fact]
    public void Doctor_s_table_says_the_same()
    {
        Outcome outcome = Cli.RunWithCache(_folder["cache"], "doctor");

        Assert.Equal((1, string.Empty), (outcome.Status, outcome.Errors));
        Assert.Contains("MISSING guest kernel              for demo, tests: ./vgpu setup\n", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("ok      .NET runtime", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_demo_says_what_mends_it()
    {
        Cli.RunWithCache(_folder["cache"], "demo", "--headless", "--shot", _folder["a.png"]).AssertOneLine(1, " is missing; mend it with: ./vgpu setup");
        Cli.RunWithCache(_folder["cache"], "demo", "--shot", _folder["none/a.png"]).AssertOneLine(2, $"there is no folder {_folder["none"]} for the picture");
        Cli.RunWithCache(_folder["cache"], "demo", "--timeout", "0").AssertOneLine(2, "--timeout is a number of seconds, at least 1");
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void A_shot_of_nothing_is_one_line()
    {
        File.WriteAllText(_folder["file"], string.Empty);

        Cli.Run("shot", _folder["a.sock"], _folder["a.png"]).AssertOneLine(2, $"no vGPU is served at {_folder["a.sock"]}; start one with 'vgpu serve --socket {_folder["a.sock"]}'");
        Cli.Run("shot", _folder["file/a.sock"], _folder["a.png"]).AssertOneLine(2, "no vGPU is served at");
        Cli.Run("shot", _folder[new string('x', 120)], _folder["a.png"]).AssertOneLine(2, "no vGPU is served at");
        Cli.Run("shot", _folder["a.sock"], _folder["none/a.png"]).AssertOneLine(2, "there is no folder");
        Cli.Run("shot", _folder["a.sock"], Path.GetDirectoryName(_folder["x"])!).AssertOneLine(2, "is a folder; name a file in it");
        Cli.Run("shot", _folder["a.sock"]).AssertOneLine(2, "'vgpu shot --help' shows how");
        Assert.Equal(["file"], _folder.Names);
    }
}
