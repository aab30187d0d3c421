using System.CommandLine;
using System.Text.Json;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu create</c>: an instance of a type.</summary>
internal static class CreateCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "create",
            "Define a vGPU of a type and start it",
            "vgpu create software0 virtio-gpu-256m --name desk --auto",
            "vgpu create software0 virtio-gpu-256m --set memory_limit=512M --set mode=1920x1080 --owner alice:kvm");
        var parent = new Argument<string>("PARENT") { Description = "The host GPU, as 'vgpu types' names it" };
        var type = new Argument<string>("TYPE") { Description = "A type of it" };
        var uuid = new Option<Guid?>("--uuid") { Description = "Its identity; a fresh one without", HelpName = "UUID" };
        var name = new Option<string?>("--name") { Description = "What to call it; the type's name with a number without", HelpName = "NAME" };
        var auto = new Option<bool>("--auto") { Description = "Start it whenever the daemon starts" };
        var transient = new Option<bool>("--transient") { Description = "Forget it when it is stopped" };
        var owner = new Option<string?>("--owner") { Description = "Whose its sockets are; yours without", HelpName = "USER:GROUP" };
        var set = new Option<string[]>("--set") { Description = "A setting that differs from the type's; may be given again", HelpName = "KEY=VALUE" };
        var noStart = new Option<bool>("--no-start") { Description = "Define it only" };
        var after = new Option<string[]>("--after") { Description = "Start it after this one; may be given again", HelpName = "NAME" };
        var json = new Option<bool>("--json") { Description = "Print it as one line of JSON" };
        command.Add(parent);
        command.Add(type);
        foreach (Option option in (Option[])[uuid, name, auto, transient, owner, set, noStart, after, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        parent.CompletionSources.Add(daemon.ParentNames);
        type.CompletionSources.Add(context => daemon.TypeNames(context, parent));
        after.CompletionSources.Add(daemon.InstanceNames);
        command.SetAction(parsed =>
        {
            var body = new CreateBody
            {
                Parent = parsed.GetValue(parent)!,
                Type = parsed.GetValue(type)!,
                Uuid = parsed.GetValue(uuid),
                Name = parsed.GetValue(name),
                Auto = parsed.GetValue(auto),
                Persistent = !parsed.GetValue(transient),
                Owner = parsed.GetValue(owner) is string word && OwnerWord.Parse(word) is var chosen ? new OwnerBody { Uid = chosen.Uid, Gid = chosen.Gid } : null,
                After = parsed.GetValue(after) ?? [],
                Settings = Settings(parsed.GetValue(set) ?? []),
                Start = !parsed.GetValue(noStart),
            };
            using ApiClient client = daemon.Connect(parsed);
            InstanceText.Print(client.Create(body), parsed.GetValue(json));
            return 0;
        });
        return command;
    }

    private static Dictionary<string, JsonElement> Settings(string[] words) => SettingWords.Parse(words).ToDictionary(
        setting => setting.Key,
        setting => ApiJson.ToElement(setting.Value ?? throw new OperatorException($"'{setting.Key}=' says no value; leave it out for the type's")),
        StringComparer.Ordinal);
}
