using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu show</c>: everything about one instance.</summary>
internal static class ShowCommand
{
    private const int NotFound = 404;

    internal static Command Create()
    {
        var command = new DocumentedCommand("show", "Show all about one vGPU", "vgpu show desk", "vgpu show desk --json");
        var json = new Option<bool>("--json") { Description = "Print it as one line of JSON" };
        command.Add(json);
        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            using ApiClient client = daemon.Connect(parsed);
            Instance instance = client.Find(parsed.GetValue(name)!);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(instance, ApiJson.Instance));
                return 0;
            }

            foreach ((string key, string? value) in Lines(instance).Concat(Viewers(client, instance)))
            {
                if (value is { Length: > 0 })
                {
                    Console.WriteLine($"{key,-14}{Table.Plain(value)}");
                }
            }

            return 0;
        });
        return command;
    }

    // What is empty is not printed.
    private static IEnumerable<(string Key, string? Value)> Lines(Instance instance) =>
    [
        ("name", instance.Name),
        ("uuid", instance.Uuid.ToString()),
        ("parent", instance.Parent),
        ("type", instance.Type),
        ("state", InstanceText.State(instance)),
        ("problem", instance.Problem),
        ("auto", instance.Auto ? "yes" : "no"),
        ("persistent", instance.Persistent ? "yes" : "no"),
        ("owner", instance.Owner is { } owner ? new OwnerWord(owner.Uid, owner.Gid).ToString() : "the daemon's user"),
        ("after", string.Join(' ', instance.After ?? [])),
        ("settings", string.Join(' ', (instance.Settings ?? new Dictionary<string, string>()).Select(setting => $"{setting.Key}={setting.Value}"))),
        ("memory", InstanceText.Memory(instance)),
        ("mode", InstanceText.Modes(instance)),
        ("socket", instance.Paths?.Socket),
        ("screen", instance.Paths?.Screen),
        ("worker", Number(instance.Worker?.Pid)),
        ("client", InstanceText.Client(instance)),
        ("requests", Number(instance.Worker?.Requests)),
        ("successions", Number(instance.Worker?.Successions)),
    ];

    // Where; what it takes to be let in is said by view.
    private static IEnumerable<(string Key, string? Value)> Viewers(ApiClient client, Instance instance)
    {
        ViewerAddresses found;
        try
        {
            found = client.Viewers(instance.Uuid.ToString());
        }
        catch (ApiException e) when (e.Status == NotFound)
        {
            return [];
        }

        string? web = found.Web is null ? null : new UriBuilder(found.Web) { Query = null, Fragment = null }.Uri.ToString();
        return [("browser", web), ("vnc", found.Vnc), ("vnc", found.VncSocket), ("spice", found.Spice), ("spice", found.SpiceSocket)];
    }

    private static string? Number(long? value) => value?.ToString(CultureInfo.InvariantCulture);
}
