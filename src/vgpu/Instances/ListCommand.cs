using System.CommandLine;
using System.Text.Json;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu list</c>: the instances.</summary>
internal static class ListCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand("list", "List vGPUs: all for root and the group vgpu, for others their own", "vgpu list", "vgpu list --json");
        var json = new Option<bool>("--json") { Description = "Print a JSON list" };
        command.Add(json);
        var daemon = new DaemonOption(command);
        command.SetAction(parsed =>
        {
            using ApiClient client = daemon.Connect(parsed);
            IReadOnlyList<Instance> instances = client.Instances();
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(instances, ApiJson.Instances));
                return 0;
            }

            Table.Write(Console.Out, ["NAME", "TYPE", "PARENT", "STATE", "CLIENT", "MEMORY", "MODE", "UUID"], instances.Select(instance => (string[])
            [
                instance.Name, instance.Type, instance.Parent, InstanceText.State(instance), InstanceText.Client(instance), InstanceText.Memory(instance), InstanceText.Modes(instance), instance.Uuid.ToString(),
            ]));
            return 0;
        });
        return command;
    }
}
