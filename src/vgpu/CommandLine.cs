using System.CommandLine;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary>The command line. Exit status: 0 done, 1 it could not be done, 2 it was asked for wrongly.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs; the exit status.</summary>
    internal static int Run(string[] args)
    {
        var root = new RootCommand("Virtual GPUs for virtual machines, through VFIO's own interface, in user space.")
        {
            DaemonCommand.Create(),
            TypesCommand.Create(),
            CreateCommand.Create(),
            ListCommand.Create(),
            ShowCommand.Create(),
            ViewCommand.Create(),
            SetCommand.Create(),
            LifeCommands.Start(),
            LifeCommands.Stop(),
            LifeCommands.Upgrade(),
            LifeCommands.Remove(),
            EventsCommand.Create(),
            TopCommand.Create(),
            AttachCommand.Create(),
            DetachCommand.Create(),
            ServeCommand.Create(),
            ShotCommand.Create(),
            RecordCommand.Create(),
            QemuArgsCommand.Create(),
            LibvirtXmlCommand.Create(),
            LibvirtHookCommand.Create(OpenForHook, () => Path.Combine(Path.GetDirectoryName(DaemonPaths.FindSocket())!, "libvirt")),
            DoctorCommand.Create(),
            DemoCommand.Create(),
            CompletionCommand.Create(),
        };
        DocumentedCommand.AddExamplesToHelp(root, "vgpu demo", "vgpu serve --socket /run/user/1000/desk.sock", "vgpu create software0 virtio-gpu-256m --name desk", "vgpu serve --help");

        ParseResult parsed = root.Parse(args);
        if (WrongUse.Find(parsed, args) is string wrong)
        {
            return Complain(wrong, 2);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (OperatorException e)
        {
            return Complain(e.Message, 2);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Complain(e.Message, 1);
        }
    }

    // libvirt waits for its hook, and its users for libvirt.
    private static DaemonVgpus OpenForHook() => new(new ApiClient(DaemonPaths.FindSocket(), TimeSpan.FromSeconds(30)));

    private static int Complain(string line, int status)
    {
        Console.Error.WriteLine($"vgpu: {line}");
        return status;
    }
}
