using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Vgpu.Cli;

/// <summary>A command with one line for the list of commands, and examples that only its own help shows.</summary>
/// <param name="name">What the operator types.</param>
/// <param name="summary">What it does, in one line.</param>
/// <param name="examples">Lines to copy.</param>
internal sealed class DocumentedCommand(string name, string summary, params string[] examples) : Command(name, summary)
{
    internal IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Makes <c>--help</c> end with the examples of the command that it is about.</summary>
    /// <param name="root">The program's commands.</param>
    /// <param name="examples">What the program's own help ends with.</param>
    internal static void AddExamplesToHelp(RootCommand root, params string[] examples)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, examples);
    }

    private sealed class HelpWithExamples(HelpAction plain, IReadOnlyList<string> ofRoot) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int status = plain.Invoke(parseResult);
            IReadOnlyList<string> examples = (parseResult.CommandResult.Command as DocumentedCommand)?.Examples ?? ofRoot;
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
            foreach (string example in examples)
            {
                output.WriteLine($"  {example}");
            }

            return status;
        }
    }
}
