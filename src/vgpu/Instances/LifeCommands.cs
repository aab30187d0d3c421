using System.CommandLine;
using Vgpu.Api;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu start</c>, <c>stop</c>, <c>upgrade</c> and <c>remove</c>: one step in an instance's life each.</summary>
internal static class LifeCommands
{
    internal static Command Start() => Build("start", "Start a vGPU that is defined", [], (client, name, _) => client.Start(name));

    internal static Command Stop() => Build("stop", "Stop a vGPU; its client loses it, and a transient one is forgotten", [], (client, name, _) =>
    {
        client.Stop(name);
        return null;
    });

    internal static Command Upgrade() => Build("upgrade", "Let a vGPU go on in the program as it is on disk now; its client notices nothing", [], (client, name, _) => client.Upgrade(name));

    internal static Command Remove()
    {
        var force = new Option<bool>("--force") { Description = "Also with a client attached, which loses it" };
        return Build("remove", "Stop a vGPU and take its definition away", [force], (client, name, parsed) =>
        {
            client.Remove(name, parsed.GetValue(force));
            return null;
        });
    }

    // A step that leaves no instance to show returns null.
    private static DocumentedCommand Build(string verb, string summary, Option[] own, Func<ApiClient, string, ParseResult, Instance?> step)
    {
        var command = new DocumentedCommand(verb, summary, $"vgpu {verb} desk");
        var json = new Option<bool>("--json") { Description = "Say what came of it as one line of JSON" };
        foreach (Option option in (Option[])[.. own, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            using ApiClient client = daemon.Connect(parsed);
            string which = parsed.GetValue(name)!;
            if (step(client, which, parsed) is Instance instance)
            {
                InstanceText.Print(instance, parsed.GetValue(json));
                return 0;
            }

            string done = verb == "stop" ? "stopped" : "removed";
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(new Dictionary<string, object> { [done] = which }) : $"{which} {done}");
            return 0;
        });
        return command;
    }
}
