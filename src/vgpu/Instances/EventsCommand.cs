using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary><c>vgpu events</c>: what happened, and what happens.</summary>
internal static class EventsCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand("events", "List what happened to vGPUs, or follow it", "vgpu events", "vgpu events --follow --json | jq .kind");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what happens, until Ctrl-C" };
        var after = new Option<long?>("--after") { Description = "Only those with a higher number", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print a line of JSON for each" };
        foreach (Option option in (Option[])[follow, after, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(after) < 0)
            {
                throw new OperatorException("--after is the number of an event, 0 or more");
            }

            using ApiClient client = daemon.Connect(parsed);
            foreach (BusEvent happened in parsed.GetValue(follow) ? client.Follow(parsed.GetValue(after)) : client.Events(parsed.GetValue(after) ?? 0))
            {
                Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(happened, ApiJson.Event) : Line(happened));
            }

            return parsed.GetValue(follow) ? throw new IOException("the daemon has ended; follow again once it runs") : 0;
        });
        return command;
    }

    private static string Line(BusEvent happened) => Table.Plain(string.Create(
        CultureInfo.InvariantCulture,
        $"{happened.Number,6}  {happened.Time.ToLocalTime():yyyy-MM-dd HH:mm:ss}  {happened.Kind,-15}  {happened.Name ?? "-"}  {happened.Detail}"));
}
