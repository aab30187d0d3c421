using System.CommandLine;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu libvirt-xml</c>: what a libvirt domain needs for an instance.</summary>
internal static class LibvirtXmlCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "libvirt-xml",
            "Print what to merge into a libvirt domain for a vGPU",
            "vgpu libvirt-xml desk",
            "vgpu libvirt-xml desk --slot 20 --json");
        var slot = new Option<int>("--slot") { Description = "A free slot on pcie.0, 1 to 31", DefaultValueFactory = _ => 16, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print the fragment as a member of one line of JSON" };
        command.Add(slot);
        command.Add(json);
        var daemon = new DaemonOption(command);
        Argument<string> name = daemon.Instance();
        command.Add(name);
        command.SetAction(parsed =>
        {
            int chosen = parsed.GetValue(slot);
            if (chosen is < 1 or > 31)
            {
                throw new OperatorException($"--slot is 1 to 31, not {chosen}");
            }

            string fragment = LibvirtDomain.Fragment(new VgpuAttachment(Target.Find(parsed.GetValue(name)!, daemon, parsed).Socket), chosen);
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(new Dictionary<string, object> { ["domain"] = fragment }) : fragment);
            return 0;
        });
        return command;
    }
}
