using System.CommandLine;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu libvirt-hook</c>: what libvirt's hook for QEMU runs, with libvirt's four arguments and the domain on standard input.</summary>
internal static class LibvirtHookCommand
{
    /// <param name="vgpus">Opens the machine's vGPUs, when they are needed.</param>
    /// <param name="folder">Where it is written down what domains have.</param>
    internal static Command Create(Func<ILibvirtVgpus> vgpus, Func<string> folder)
    {
        var command = new DocumentedCommand(
            "libvirt-hook",
            "Start and stop the vGPUs of a libvirt domain; libvirt's hook runs this",
            "vgpu libvirt-hook desk start begin - < domain.xml");
        var guest = new Argument<string>("GUEST") { Description = "The domain's name" };
        var operation = new Argument<string>("OPERATION") { Description = "What libvirt does: start, release, restore, migrate; others are nothing" };
        var rest = new Argument<string[]>("REST") { Description = "libvirt's sub-operation and extra argument", Arity = ArgumentArity.ZeroOrMore };
        command.Add(guest);
        command.Add(operation);
        command.Add(rest);
        command.SetAction(parsed =>
        {
            new LibvirtHook(vgpus(), folder()).Run(parsed.GetValue(guest)!, parsed.GetValue(operation)!, Console.In);
            return 0;
        });
        return command;
    }
}
