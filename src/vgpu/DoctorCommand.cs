using System.CommandLine;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu doctor</c>: what vgpu needs of this machine.</summary>
internal static class DoctorCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "doctor",
            "Say what vgpu needs, whether it is there and what mends it; exit status 1 where something is missing",
            "vgpu doctor",
            "vgpu doctor --json");
        var json = new Option<bool>("--json") { Description = "Print a JSON list" };
        command.Add(json);
        command.SetAction(parsed =>
        {
            IReadOnlyList<Requirement> requirements = Requirement.Probe();
            if (parsed.GetValue(json))
            {
                Console.WriteLine(PlainJson.ToText(requirements.Select(ToJson)));
            }
            else
            {
                foreach (Requirement requirement in requirements)
                {
                    string state = requirement.Found is not null ? "ok" : requirement.IsRequired ? "MISSING" : "absent";
                    string detail = requirement.Found ?? $"for {requirement.NeededFor}: {requirement.Mend}";
                    Console.WriteLine($"{state,-8}{requirement.Name,-26}{detail}");
                }
            }

            return requirements.Any(requirement => requirement.IsRequired && requirement.Found is null) ? 1 : 0;
        });
        return command;
    }

    private static Dictionary<string, object> ToJson(Requirement requirement)
    {
        var members = new Dictionary<string, object>
        {
            ["name"] = requirement.Name,
            ["needed_for"] = requirement.NeededFor,
            ["required"] = requirement.IsRequired,
            ["ok"] = requirement.Found is not null,
        };
        members[requirement.Found is null ? "mend" : "found"] = requirement.Found ?? requirement.Mend;
        return members;
    }
}
