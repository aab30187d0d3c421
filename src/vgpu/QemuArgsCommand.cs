using System.CommandLine;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu qemu-args</c>: how to attach a vGPU to stock QEMU, or to a libvirt domain.</summary>
internal static class QemuArgsCommand
{
    internal static Command Create()
    {
        // The double quotes keep the shell from splitting the words before eval reads their quotes.
        var command = new DocumentedCommand(
            "qemu-args",
            "Print the QEMU arguments that attach a vGPU: shared memory, the device and the input devices beside it",
            "eval \"qemu-system-x86_64 -drive file=disk.qcow2 $(vgpu qemu-args /run/user/1000/desk.sock --memory 4096)\"",
            "vgpu qemu-args /run/user/1000/desk.sock --libvirt",
            "vgpu qemu-args desk --json");
        var sockets = new Argument<string[]>("SOCKET") { Description = "Each vGPU: its socket, or an instance's name or UUID", Arity = ArgumentArity.OneOrMore };
        var memory = new Option<int>("--memory") { Description = "The guest's memory in MiB", DefaultValueFactory = _ => 2048, HelpName = "MIB" };
        var bus = new Option<string?>("--bus") { Description = "Plug into this bus, for example a pcie-root-port", HelpName = "BUS" };
        var libvirt = new Option<bool>("--libvirt") { Description = "Print what a libvirt domain needs instead (one vGPU)" };
        var json = new Option<bool>("--json") { Description = "Print the arguments as a JSON list" };
        command.Add(sockets);
        foreach (Option option in (Option[])[memory, bus, libvirt, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        sockets.CompletionSources.Add(daemon.InstanceNames);
        command.SetAction(parsed =>
        {
            int mebibytes = parsed.GetValue(memory);
            if (mebibytes < 1)
            {
                throw new OperatorException($"--memory is a number of MiB, not {mebibytes}");
            }

            Target[] targets = [.. parsed.GetValue(sockets)!.Select(word => Target.Find(word, daemon, parsed))];
            VgpuAttachment[] vgpus = [.. targets.Select(target => new VgpuAttachment(target.Socket) { Bus = parsed.GetValue(bus) })];
            if (parsed.GetValue(libvirt))
            {
                Console.WriteLine(vgpus.Length == 1
                    ? LibvirtDomain.Fragment(vgpus[0], beside: InputComposition.Beside(vgpus[0].SocketPath))
                    : throw new OperatorException("--libvirt takes one socket"));
                return 0;
            }

            IReadOnlyList<string> arguments =
            [
                .. VgpuAttachment.Arguments(mebibytes, vgpus.SelectMany(vgpu => InputComposition.Beside(vgpu.SocketPath).Prepend(vgpu))),
                .. targets.Select(target => target.Qmp).Distinct().SelectMany(VgpuAttachment.Qmp),
            ];
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(arguments) : ShellWords.Join(arguments));
            return 0;
        });
        return command;
    }
}
