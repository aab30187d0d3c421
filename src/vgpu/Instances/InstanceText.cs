using System.Globalization;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary>Instances as commands print them.</summary>
internal static class InstanceText
{
    internal static string State(Instance instance) => instance.State.ToString().ToLowerInvariant();

    internal static string Client(Instance instance) => instance.Worker?.ClientPid?.ToString(CultureInfo.InvariantCulture) ?? string.Empty;

    internal static string Memory(Instance instance) =>
        instance.Worker is WorkerStatus worker ? $"{ByteCount.ToText(worker.MemoryUsed)}/{ByteCount.ToText(worker.MemoryLimit)}" : ByteCount.ToText(instance.MemoryLimit);

    internal static string Modes(Instance instance) =>
        string.Join(',', (instance.Worker?.Modes ?? []).Select(mode => mode is { } shown ? $"{shown.Width}x{shown.Height}" : "-"));

    /// <summary>What a command that changed an instance says of it: one line of JSON, or of words.</summary>
    internal static void Print(Instance instance, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(instance, ApiJson.Instance));
            return;
        }

        string line = $"{instance.Name} ({instance.Uuid}) {State(instance)}";
        if (instance.Paths is InstancePaths paths)
        {
            line += $" at {paths.Socket}";
        }

        Console.WriteLine(Table.Plain(instance.Problem is string problem ? $"{line}: {problem}" : line));
    }
}
