using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Vgpu.House.Tests;

/// <summary>Who may call whom (docs/architecture.md), held against the project files and sources as they are.</summary>
public sealed partial class RoomsTests
{
    // From the bottom up; a project may use what stands before it.
    private static readonly string[] s_order =
    [
        "Vgpu.Linux", "Vgpu.Vfio", "Vgpu.VfioUser", "Vgpu.Pci", "Vgpu.Virtio", "Vgpu.Screens", "Vgpu.Gpus",
        "Vgpu.Vendors.", "Vgpu.Host.", "Vgpu.Viewers.Png", "Vgpu.Viewers.Rfb", "Vgpu.Viewers.", "Vgpu.Bus", "Vgpu.Qemu", "Vgpu.Api", "Vgpu.Control", "vgpud", "vgpu",
    ];

    public static TheoryData<string> Projects =>
        [.. Directory.EnumerateFiles(Path.Combine(Home.Folder, "src"), "*.csproj", SearchOption.AllDirectories).Select(path => Path.GetFileNameWithoutExtension(path))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_only_those_before_it(string project)
    {
        string file = Path.Combine(Home.Folder, "src", project, project + ".csproj");
        IEnumerable<string> used = XDocument.Load(file).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

        Assert.All(used, other => Assert.True(Rank(other) < Rank(project), $"{project} uses {other}"));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Native_calls_are_in_the_rooms_made_for_them(string project)
    {
        if (project == "Vgpu.Linux" || project.StartsWith("Vgpu.Host.", StringComparison.Ordinal) || project == "Vgpu.Viewers.Spice")
        {
            return;
        }

        Assert.All(Sources(project), path => Assert.DoesNotMatch(NativeCall(), File.ReadAllText(path)));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Only_the_command_line_and_the_protocol_know_a_socket(string project)
    {
        if (project is "Vgpu.Linux" or "Vgpu.VfioUser" or "Vgpu.Bus" or "Vgpu.Qemu" or "Vgpu.Api" or "Vgpu.Control" or "vgpud" or "vgpu" || project.StartsWith("Vgpu.Viewers.", StringComparison.Ordinal))
        {
            return;
        }

        Assert.All(Sources(project), path => Assert.DoesNotMatch(@"\bUnixSocket\b|System\.Net\.Sockets", File.ReadAllText(path)));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_source_is_of_readable_length(string project) =>
        Assert.All(Sources(project), path => Assert.InRange(File.ReadLines(path).Count(), 1, 450));

    private static IEnumerable<string> Sources(string project) => Home.SourcesIn(Path.Combine("src", project));

    private static int Rank(string project)
    {
        int rank = Array.FindIndex(s_order, name => name.EndsWith('.') ? project.StartsWith(name, StringComparison.Ordinal) : project == name);
        Assert.True(rank >= 0, $"{project} has no place in the order of rooms");
        return rank;
    }

    [GeneratedRegex(@"\[(LibraryImport|DllImport)")]
    private static partial Regex NativeCall();
}
