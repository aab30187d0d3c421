using System.CommandLine;
using Vgpu.Api;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu libvirt-xml</c>: what a libvirt domain needs for an instance, or a domain that has it.</summary>
internal static class LibvirtXmlCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "libvirt-xml",
            "Print what a libvirt domain needs for a vGPU and the input devices beside it, or a domain with them merged in",
            "vgpu libvirt-xml desk",
            "virsh dumpxml --inactive guest | vgpu libvirt-xml desk --domain - > guest.xml");
        var domain = new Option<string?>("--domain") { Description = "Merge it into this domain's XML ('-': standard input), and print that", HelpName = "FILE" };
        var slot = new Option<int>("--slot") { Description = "A free slot on pcie.0, 1 to 31, where there is no domain to look for one in", DefaultValueFactory = _ => 16, HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print it as a member of one line of JSON" };
        command.Add(domain);
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

            using ApiClient client = daemon.Connect(parsed);
            string xml = Print(client.Find(parsed.GetValue(name)!), parsed.GetValue(domain), chosen);
            Console.WriteLine(parsed.GetValue(json) ? PlainJson.ToText(new Dictionary<string, object> { ["domain"] = xml }) : xml);
            return 0;
        });
        return command;
    }

    private static string Print(Instance instance, string? domain, int slot)
    {
        // The path depends on the UUID alone, so that the domain fits whenever the vGPU runs.
        string socket = instance.Paths?.Socket
            ?? throw new IOException($"{instance.Name} does not run; start it with 'vgpu start {ShellWords.Quote(instance.Name)}'");
        var attachment = new VgpuAttachment(socket);
        var vgpu = new LibvirtVgpu
        {
            Name = instance.Name,
            Uuid = instance.Uuid,
            Parent = instance.Parent,
            Type = instance.Type,
            Settings = instance.Settings ?? new Dictionary<string, string>(),
        };
        if (domain is null)
        {
            return LibvirtDomain.Fragment(attachment, vgpu, slot, InputComposition.Beside(socket));
        }

        if (domain == "-")
        {
            return LibvirtDomain.Merge(Console.In, attachment, vgpu, InputComposition.Beside(socket));
        }

        using StreamReader file = File.OpenText(domain);
        return LibvirtDomain.Merge(file, attachment, vgpu, InputComposition.Beside(socket));
    }
}
