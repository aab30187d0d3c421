namespace Vgpu.Cli.Tests;

/// <summary>Help and completion: what an operator asks the program about itself.</summary>
public sealed class HelpTests
{
    private static readonly string[] s_commands =
    [
        "attach", "completion", "create", "daemon", "demo", "detach", "doctor", "events", "libvirt-hook", "libvirt-xml", "list", "qemu-args", "record", "remove",
        "serve", "set", "shot", "show", "start", "stop", "top", "types", "upgrade", "view",
    ];

    public static TheoryData<string> Commands => [.. s_commands];

    [Fact]
    public void The_list_has_one_line_a_command()
    {
        string list = Cli.Run("--help").AssertDone().Split("Commands:\n")[1].Split("\n\n")[0];

        Assert.Equal(s_commands, list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]).Order());
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_s_own_help_has_an_example(string command)
    {
        string examples = Cli.Run(command, "--help").AssertDone().Split("\nExample")[1];

        Assert.Contains($"vgpu {command} ", examples.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_words_are_one_line()
    {
        Cli.Run().AssertOneLine(2, "'vgpu --help' shows how");
        Cli.Run("serv").AssertOneLine(2, "'serv' is no command or argument here");
        Cli.Run("completion", "csh").AssertOneLine(2, "'bash', 'zsh', 'fish'; 'vgpu completion --help' shows how");
        Cli.Run("serve").AssertOneLine(2, "'--socket' is required", "'vgpu serve --help' shows how");
    }

    [Theory]
    [InlineData("vgpu se", "serve set")]
    [InlineData("vgpu serve --hei", "--height")]
    [InlineData("vgpu serve --device v", "virtio-gpu")]
    [InlineData("vgpu completion ", "bash fish zsh")]
    [InlineData("vgpu top --sort ", "cpu fps memory name requests viewed")]
    [InlineData("vgpu ", "--help completion demo doctor qemu-args serve shot")]
    public void Bash_completes_words(string line, string words)
    {
        string[] typed = line.Split(' ');
        string output = Cli.Bash($$"""
            source <(vgpu completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{string.Join(' ', typed.Select(word => $"'{word}'"))}}) COMP_CWORD={{typed.Length - 1}}
            [[ $(complete -p vgpu) == *'-F _vgpu vgpu' ]] && _vgpu
            printf '%s\n' "${COMPREPLY[@]}"
            """).AssertDone();

        Assert.Subset(output.Split('\n').ToHashSet(), words.Split(' ').ToHashSet());
    }

    // Parsed by the shell itself where it is installed; completion there needs a terminal.
    [Theory]
    [InlineData("zsh", "compdef _vgpu vgpu")]
    [InlineData("fish", "complete -c vgpu")]
    public void Other_shells_take_their_scripts(string shell, string text)
    {
        Assert.Contains(text, Cli.Run("completion", shell).AssertDone(), StringComparison.Ordinal);
        _ = Cli.Bash($"! command -v {shell} >/dev/null || vgpu completion {shell} | {shell} -n").AssertDone();
    }
}
