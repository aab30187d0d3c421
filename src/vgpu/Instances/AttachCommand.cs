using System.CommandLine;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu attach</c>: plugs a vGPU into a VM that runs.</summary>
internal static class AttachCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "attach",
            "Plug a vGPU into a running VM, over QMP",
            "vgpu attach --qmp /run/vm1.qmp desk",
            "vgpu attach --qmp /run/vm1.qmp desk --bus port1 --id gpu1");
        var bus = new Option<string?>("--bus") { Description = "The pcie-root-port to plug into; the first free one without", HelpName = "BUS" };
        var id = new Option<string?>("--id") { Description = "What QEMU calls it; vgpu-NAME without", HelpName = "ID" };
        var json = new Option<bool>("--json") { Description = "Say where it is as one line of JSON" };
        var machine = new VirtualMachine(command);
        foreach (Option option in (Option[])[bus, id, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            string word = parsed.GetValue(name)!;
            Target target = Target.Find(word, daemon, parsed);
            string chosen = parsed.GetValue(id) ?? VirtualMachine.IdOf(word);
            using QmpClient qmp = machine.Connect(parsed);
            var plug = new HotPlug(qmp);
            string port = parsed.GetValue(bus) ?? plug.FindFreePort();
            plug.Add(new VgpuAttachment(target.Socket) { Id = chosen, Bus = port });
            Console.WriteLine(parsed.GetValue(json)
                ? PlainJson.ToText(new Dictionary<string, object> { ["id"] = chosen, ["bus"] = port, ["socket"] = target.Socket })
                : $"{word} is {chosen} on {port}");
            return 0;
        });
        return command;
    }
}
