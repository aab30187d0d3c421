using System.CommandLine;
using System.CommandLine.Parsing;

namespace Vgpu.Cli;

/// <summary>What is wrong with the words on a command line, in one line that names the help that mends it.</summary>
internal static class WrongUse
{
    /// <summary>Null where nothing is wrong.</summary>
    internal static string? Find(ParseResult parsed, IReadOnlyList<string> words)
    {
        // A directive, such as the shell's [suggest], may be about an empty line.
        if (words.Contains(string.Empty) && !words[0].StartsWith('['))
        {
            return $"an argument is empty; '{Help(parsed)}' shows what it takes";
        }

        // Help and the like clear the errors that do not matter to them.
        if (parsed.Errors.Count == 0 || parsed.Action is { ClearsParseErrors: true })
        {
            return null;
        }

        string message = parsed.UnmatchedTokens.Count > 0
            ? $"'{parsed.UnmatchedTokens[0]}' is no {(parsed.UnmatchedTokens[0].StartsWith('-') ? "option" : "command or argument")} here"
            : OneLine(parsed.Errors[0]);
        return $"{message}; '{Help(parsed)}' shows how";
    }

    private static string Help(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "vgpu --help" : $"vgpu {parsed.CommandResult.Command.Name} --help";

    // The parser lists alternatives a line each, after its first line.
    private static string OneLine(ParseError error)
    {
        string[] lines = error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 1 ? lines[0].TrimEnd('.') : $"{lines[0]} {string.Join(", ", lines[1..])}";
    }
}
