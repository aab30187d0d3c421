using System.Text.Json;
using System.Xml.Linq;

namespace Vgpu.Cli.Tests;

/// <summary><c>vgpu qemu-args</c>, and the forms in which the help and README.md say to use it.</summary>
public sealed class AttachTests
{
    private const string Shared = "-object memory-backend-memfd,id=mem0,size=4096M,share=on -machine q35,memory-backend=mem0 -m 4096M";

    [Fact]
    public void Its_words_are_those_of_the_readme() =>
        Assert.Equal(
            Shared + """ -device '{"driver":"vfio-user-pci","socket":{"path":"/tmp/desk.sock","type":"unix"}}'""" + "\n",
            Cli.Run("qemu-args", "/tmp/desk.sock", "--memory", "4096").AssertDone());

    [Fact]
    public void Json_has_the_same_words_one_by_one()
    {
        string output = Cli.Run("qemu-args", "/a.sock", "/b.sock", "--memory", "4096", "--bus", "port1", "--json").AssertDone();
        string[] words = JsonSerializer.Deserialize<string[]>(output)!;

        Assert.Equal(Shared.Split(' '), words[..6]);
        Assert.Equal(
            [
                "-device", """{"driver":"vfio-user-pci","socket":{"path":"/a.sock","type":"unix"},"bus":"port1"}""",
                "-device", """{"driver":"vfio-user-pci","socket":{"path":"/b.sock","type":"unix"},"bus":"port1"}""",
            ],
            words[6..]);
    }

    [Fact]
    public void Libvirt_gets_the_readme_s_domain()
    {
        string domain = Cli.Run("qemu-args", "/tmp/desk.sock", "--libvirt").AssertDone();
        string readme = File.ReadAllText(Path.Combine(FindHome(), "README.md"));
        string shown = readme.Split("```xml\n")[1].Split("```")[0];

        Assert.True(XNode.DeepEquals(XDocument.Parse(shown), XDocument.Parse(domain)), domain);
        Cli.Run("qemu-args", "/a.sock", "/b.sock", "--libvirt").AssertOneLine(2, "--libvirt takes one socket");
    }

    // In bash, with a path that splitting, globbing or a second expansion would break.
    [Theory]
    [InlineData("/tmp/desk.sock")]
    [InlineData("/tmp/a  desk's $HOME/*.sock")]
    [InlineData("/tmp/`pwd`\\,\"b\"!.sock")]
    [InlineData("/tmp/[ü]\t~.sock")]
    public void The_help_s_eval_gives_qemu_each_word_whole(string path)
    {
        string help = Cli.Run("qemu-args", "--help").AssertDone();
        Assert.Contains("eval \"qemu-system-x86_64 -drive file=disk.qcow2 $(vgpu qemu-args /run/user/1000/desk.sock --memory 4096)\"", help, StringComparison.Ordinal);
        string quoted = $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";
        string output = Cli.Bash($$"""
            qemu-system-x86_64() { printf '%s\0' "$@"; }
            eval "qemu-system-x86_64 -drive file=disk.qcow2 \
                $(vgpu qemu-args {{quoted}} --memory 4096)"
            """).AssertDone();
        string[] words = output.Split('\0', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(["-drive", "file=disk.qcow2", .. Shared.Split(' '), "-device"], words[..^1]);
        using var device = JsonDocument.Parse(words[^1]);
        Assert.Equal(path, device.RootElement.GetProperty("socket").GetProperty("path").GetString());
    }

    [Fact]
    public void The_readme_attaches_by_eval_too()
    {
        string readme = File.ReadAllText(Path.Combine(FindHome(), "README.md"));
        string command = readme.Split("```sh\n").Single(part => part.Contains("qemu-system-x86_64", StringComparison.Ordinal) && part.Contains("vgpu serve", StringComparison.Ordinal)).Split("```")[0];
        string output = Cli.Bash($$"""
            cd "$(mktemp -d)"; trap 'rm -r "$PWD"' EXIT
            printf '#!/bin/bash\nexec dotnet %q "$@"\n' '{{Cli.Program}}' >vgpu
            chmod +x vgpu
            qemu-system-x86_64() { printf '%s\n' "$@"; }
            {{command.Replace("./vgpu serve", ": ./vgpu serve", StringComparison.Ordinal).Replace("./vgpu shot", ": ./vgpu shot", StringComparison.Ordinal).Replace("./vgpu record", ": ./vgpu record", StringComparison.Ordinal)}}
            """).AssertDone();

        Assert.Contains("\nfile=disk.qcow2\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\n-device\n{\"driver\":\"vfio-user-pci\",\"socket\":{\"path\":\"/tmp/desk.sock\",\"type\":\"unix\"}}\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_relative_path_is_made_whole() =>
        Assert.Contains($"\"path\":\"{Path.GetFullPath("desk.sock")}\"", Cli.Run("qemu-args", "./desk.sock").AssertDone(), StringComparison.Ordinal);

    [Fact]
    public void What_can_t_be_is_one_line()
    {
        Cli.Run("qemu-args").AssertOneLine(2, "'vgpu qemu-args --help' shows how");
        Cli.Run("qemu-args", string.Empty).AssertOneLine(2, "an argument is empty");
        Cli.Run("qemu-args", "/a.sock", "--memory", "0").AssertOneLine(2, "--memory is a number of MiB, not 0");
    }

    private static string FindHome()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "vgpu.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no vgpu.slnx above the tests");
        }

        return folder.FullName;
    }
}
