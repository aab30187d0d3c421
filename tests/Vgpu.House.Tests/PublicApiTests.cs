using System.Reflection;
using PublicApiGenerator;

namespace Vgpu.House.Tests;

/// <summary>
/// What others compile against, as text: a change of it is seen in review, and is meant. The texts are in PublicApi/, one a
/// package.
/// </summary>
public sealed class PublicApiTests
{
    private const string Accept = "VGPU_ACCEPT_API";

    private static readonly ApiGeneratorOptions s_options = new()
    {
        IncludeAssemblyAttributes = false,
        UseDenyNamespacePrefixesForExtensionMethods = false,
        DenyNamespacePrefixes = [],
    };

    [Theory]
    [InlineData("Vgpu.Linux")]
    [InlineData("Vgpu.Vfio")]
    [InlineData("Vgpu.VfioUser")]
    [InlineData("Vgpu.Pci")]
    public void The_public_API_is_the_one_that_was_agreed(string name)
    {
        string file = Path.Combine(Home.Folder, "tests", "Vgpu.House.Tests", "PublicApi", name + ".txt");
        string now = Assembly.Load(name).GeneratePublicApi(s_options).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            File.WriteAllText(file, now);
        }

        string agreed = File.Exists(file) ? File.ReadAllText(file) : string.Empty;
        Assert.True(now == agreed, now == agreed ? null : Explain(name, agreed, now));
    }

    private static string Explain(string name, string agreed, string now)
    {
        string[] before = agreed.Split('\n');
        string[] after = now.Split('\n');
        IEnumerable<string> lines =
        [
            $"the public API of {name} has changed:",
            .. before.Except(after).Take(20).Select(line => $"- {line.Trim()}"),
            .. after.Except(before).Take(20).Select(line => $"+ {line.Trim()}"),
            $"If that is meant, accept it and commit the file: {Accept}=1 ./test --fast --filter PublicApi",
        ];
        return string.Join('\n', lines);
    }
}
