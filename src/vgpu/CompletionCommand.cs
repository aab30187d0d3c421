using System.CommandLine;

namespace Vgpu.Cli;

/// <summary><c>vgpu completion</c>: scripts that complete vgpu's words in a shell, by asking vgpu itself.</summary>
internal static class CompletionCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "completion",
            "Print a completion script for a shell",
            "source <(vgpu completion bash)",
            "vgpu completion fish | source");
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        command.Add(shell);
        command.SetAction(parsed =>
        {
            Console.WriteLine(parsed.GetValue(shell) switch
            {
                "bash" => """
                    _vgpu() {
                        local words
                        words=$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
                        mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
                    }
                    complete -o default -F _vgpu vgpu ./vgpu
                    """,
                "zsh" => """
                    #compdef vgpu
                    _vgpu() {
                        local -a words
                        words=("${(@f)$(${words[1]} "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
                        compadd -a words
                        _files
                    }
                    compdef _vgpu vgpu ./vgpu
                    """,
                _ => """
                    complete -c vgpu -a '(vgpu "[suggest:"(string length (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
                    """,
            });
            return 0;
        });
        return command;
    }
}
