using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary><c>vgpu types</c>: what can be made, and how much of it.</summary>
internal static class TypesCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand("types", "List parents, what they have left, and the types that can be made on them", "vgpu types", "vgpu types --json");
        var json = new Option<bool>("--json") { Description = "Print a JSON list of parents" };
        command.Add(json);
        var daemon = new DaemonOption(command);
        command.SetAction(parsed =>
        {
            using ApiClient client = daemon.Connect(parsed);
            IReadOnlyList<ParentView> parents = client.Parents();
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(parents, ApiJson.Parents));
                return 0;
            }

            Table.Write(Console.Out, ["PARENT", "DRIVER", "USED", "DESCRIPTION"], parents.Select(parent => (string[])[parent.Name, parent.Driver, string.Join(", ", parent.Budgets.Select(Budget)), parent.Description]));
            Console.WriteLine();
            Table.Write(Console.Out, ["TYPE", "PARENT", "AVAILABLE", "MEMORY", "HEADS", "LARGEST", "DESCRIPTION"], parents.SelectMany(parent => parent.Types.Select(type => (string[])
            [
                type.Name, parent.Name, Number(type.AvailableInstances), ByteCount.ToText(type.MemoryLimit), Number(type.Heads), $"{type.MaxWidth}x{type.MaxHeight}", type.Description,
            ])));
            return 0;
        });
        return command;
    }

    private static string Budget(KeyValuePair<string, BudgetView> budget)
    {
        bool bytes = budget.Key.Contains("memory", StringComparison.Ordinal);
        return $"{budget.Key} {Amount(budget.Value.Used)} of {Amount(budget.Value.Total)}";

        string Amount(ulong value) => bytes ? ByteCount.ToText(value) : value.ToString(CultureInfo.InvariantCulture);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
