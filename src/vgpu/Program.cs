using System.CommandLine;
using Vgpu.Cli;
using Vgpu.Linux;

// The command line's entry. Exit status: 0 done, 1 it could not be done, 2 it was asked for wrongly.
var root = new RootCommand("Virtual GPUs for virtual machines, through VFIO's own interface, in user space.")
{
    ServeCommand.Create(),
    ShotCommand.Create(),
    QemuArgsCommand.Create(),
    DoctorCommand.Create(),
    DemoCommand.Create(),
    CompletionCommand.Create(),
};

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
{
    string command = parsed.CommandResult.Command == root ? "vgpu" : $"vgpu {parsed.CommandResult.Command.Name}";
    Console.Error.WriteLine($"vgpu: {parsed.Errors[0].Message.TrimEnd('.')}; '{command} --help' shows how");
    return 2;
}

try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (OperatorException e)
{
    Console.Error.WriteLine($"vgpu: {e.Message}");
    return 2;
}
catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"vgpu: {e.Message}");
    return 1;
}
