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
            "Plug a vGPU into a running VM, over QMP, and into further ports the input devices beside it",
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
            IReadOnlyList<PluggedInput> inputs = PluggedInput.PlugBeside(target.Socket, chosen, plug);
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(Said(chosen, port, target.Socket, inputs)) : $"{word} is {chosen} on {port}{string.Concat(inputs.Select(input => $", its {input.Kind} on {input.Bus}"))}");
            if (inputs.Count < InputComposition.Beside(target.Socket).Count())
            {
                Console.Error.WriteLine("vgpu: no pcie-root-port is left for each of its input devices; detach it and start the VM with more of them to type and point there");
            }

            return 0;
        });
        return command;
    }

    private static Dictionary<string, object> Said(string id, string bus, string socket, IReadOnlyList<PluggedInput> inputs)
    {
        var said = new Dictionary<string, object> { ["id"] = id, ["bus"] = bus, ["socket"] = socket };
        if (inputs.Count > 0)
        {
            said["input"] = inputs.ToDictionary(input => input.Kind, object (input) => new Dictionary<string, object> { ["id"] = input.Id, ["bus"] = input.Bus });
        }

        return said;
    }
}
