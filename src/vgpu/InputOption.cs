using System.CommandLine;
using Vgpu.Vendors.VirtioInput;

namespace Vgpu.Cli;

/// <summary><c>--input</c>: which input devices there are beside a vGPU.</summary>
internal sealed class InputOption
{
    private readonly Option<string?> _input = new("--input")
    {
        Description = "Also serve a keyboard and a tablet, and with 'touch' a touch screen, each on a socket beside it with '.keyboard', '.tablet', '.touch' added",
        Arity = ArgumentArity.ZeroOrOne,
        HelpName = "touch",
    };

    internal InputOption(Command command)
    {
        _input.AcceptOnlyFromAmong("touch");
        command.Add(_input);
    }

    /// <summary>None where the option was not given.</summary>
    internal IReadOnlyList<VirtioInputKind> Kinds(ParseResult parsed) =>
        parsed.GetResult(_input) is null ? []
        : parsed.GetValue(_input) is null ? [VirtioInputKind.Keyboard, VirtioInputKind.Tablet]
        : [VirtioInputKind.Keyboard, VirtioInputKind.Tablet, VirtioInputKind.Touch];
}
