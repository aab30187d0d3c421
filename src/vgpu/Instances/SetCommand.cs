using System.CommandLine;
using Vgpu.Api;

namespace Vgpu.Cli;

/// <summary><c>vgpu set</c>: an instance's settings.</summary>
internal static class SetCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "set",
            "Change settings of a vGPU; 'KEY=' goes back to the type's",
            "vgpu set desk memory_limit=512M mode=1920x1080",
            "vgpu set desk auto=true name=table mode=",
            "vgpu set studio policy=fixed_share weight=4 fps_limit=60");
        var json = new Option<bool>("--json") { Description = "Print the vGPU as one line of JSON" };
        var settings = new Argument<string[]>("KEY=VALUE") { Description = "memory_limit, mode, heads, interrupts, guest_blobs, qmp; of types that render: policy, weight, fps_limit; name, auto, owner", Arity = ArgumentArity.OneOrMore };
        command.Add(json);
        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.Add(settings);
        command.SetAction(parsed =>
        {
            Dictionary<string, string?> wanted = SettingWords.Parse(parsed.GetValue(settings)!);
            using ApiClient client = daemon.Connect(parsed);
            InstanceText.Print(client.Set(parsed.GetValue(name)!, wanted), parsed.GetValue(json));
            return 0;
        });
        return command;
    }
}
