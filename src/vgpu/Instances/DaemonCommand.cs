using System.CommandLine;
using Vgpu.Linux;

namespace Vgpu.Cli;

/// <summary><c>vgpu daemon</c>: becomes vgpud, which lies beside this program.</summary>
internal static class DaemonCommand
{
    private const string Program = "vgpud.dll";

    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "daemon",
            "Run the daemon, which makes vGPUs and keeps them, until Ctrl-C or SIGTERM",
            "vgpu daemon",
            "vgpu daemon -- --run /run/vgpu --metrics-port 9414");
        var words = new Argument<string[]>("OPTION") { Description = "vgpud's own options, after '--'; see 'vgpu daemon -- --help'", Arity = ArgumentArity.ZeroOrMore };
        command.Add(words);
        // Its options are vgpud's to judge.
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction(parsed =>
        {
            string dotnet = Environment.ProcessPath ?? throw new IOException("this program can't find itself; start vgpud by hand: dotnet vgpud.dll");
            ProgramImage.Replace(dotnet, [dotnet, Find(), .. parsed.GetValue(words)!, .. parsed.UnmatchedTokens]);
            return 0;
        });
        return command;
    }

    private static string Find()
    {
        string here = AppContext.BaseDirectory;
        string[] places = [Path.Combine(here, Program), Path.GetFullPath(Path.Combine(here, "..", "vgpud", Program))];
        return places.FirstOrDefault(File.Exists) ?? throw new IOException($"there is no {Program} in {here}; install vgpu as a whole, or build it with ./vgpu");
    }
}
