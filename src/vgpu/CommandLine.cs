using System.CommandLine;

namespace Vgpu.Cli;

/// <summary>The command line. Exit status: 0 done, 1 it could not be done, 2 it was asked for wrongly.</summary>
internal static class CommandLine
{
    internal static int Run(string[] args)
    {
        var root = new RootCommand("Virtual GPUs for virtual machines, through VFIO's own interface, in user space.")
        {
            ServeCommand.Create(),
            ShotCommand.Create(),
            QemuArgsCommand.Create(),
            DoctorCommand.Create(),
            DemoCommand.Create(),
            CompletionCommand.Create(),
        };
        DocumentedCommand.AddExamplesToHelp(root, "vgpu demo", "vgpu serve --socket /run/user/1000/desk.sock", "vgpu serve --help");

        ParseResult parsed = root.Parse(args);
        if (WrongUse.Find(parsed, args) is string wrong)
        {
            Console.Error.WriteLine($"vgpu: {wrong}");
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"vgpu: {e.Message}");
            return 1;
        }
    }
}
