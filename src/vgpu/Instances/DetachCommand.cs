using System.CommandLine;
using System.Diagnostics;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu detach</c>: plugs a vGPU out of a VM that runs.</summary>
internal static class DetachCommand
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    internal static Command Create()
    {
        var command = new DocumentedCommand("detach", "Plug a vGPU and the input devices beside it out of a running VM, over QMP, and wait until its guest lets go", "vgpu detach --qmp /run/vm1.qmp desk");
        var id = new Option<string?>("--id") { Description = "What QEMU calls it; vgpu-NAME without", HelpName = "ID" };
        var json = new Option<bool>("--json") { Description = "Say what came of it as one line of JSON" };
        var machine = new VirtualMachine(command);
        command.Add(id);
        command.Add(json);
        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            string word = parsed.GetValue(name)!;
            string chosen = parsed.GetValue(id) ?? VirtualMachine.IdOf(word);
            using QmpClient qmp = machine.Connect(parsed);
            var plug = new HotPlug(qmp);
            foreach (string input in PluggedInput.IdsOf(chosen).Where(plug.Has))
            {
                Wait(plug, input, machine.Limit(parsed));
            }

            Wait(plug, chosen, machine.Limit(parsed));
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(new Dictionary<string, object> { ["detached"] = chosen }) : $"{word} is detached");
            return 0;
        });
        return command;
    }

    private static void Wait(HotPlug plug, string id, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        using var progress = new Timer(_ => Console.Error.WriteLine($"vgpu: the guest has not let go of {id} yet ({clock.Elapsed.TotalSeconds:0} s of {limit.TotalSeconds:0})"), null, s_pause, s_pause);
        try
        {
            plug.Remove(id, limit);
        }
        catch (TimeoutException e)
        {
            throw new IOException($"the guest has not let go of {id} after {limit.TotalSeconds:0} s; is it up, and does its kernel know PCIe hot-plug? Detach again to go on waiting", e);
        }
    }
}
