using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;
using Vgpu.VfioUser;

namespace Vgpu.House.Tests;

/// <summary>The NuGet packages, as somebody else has them: packed from what is built here, and built against.</summary>
public sealed class PackageTests : IClassFixture<PackageTests.Packed>
{
    private readonly Packed _packed;

    public PackageTests(Packed packed) => _packed = packed;

    // The tree's, as every assembly of it says.
    private static string Version { get; } = typeof(VfioUserServer).Assembly.GetName().Version!.ToString(3);

    [Theory]
    [InlineData("Vgpu.Linux")]
    [InlineData("Vgpu.Vfio", "Microsoft.Extensions.Logging.Abstractions", "Vgpu.Linux")]
    [InlineData("Vgpu.VfioUser", "Microsoft.Extensions.Logging.Abstractions", "Vgpu.Vfio")]
    [InlineData("Vgpu.Pci", "Microsoft.Extensions.Logging.Abstractions", "Vgpu.Vfio")]
    public void A_package_holds_assembly_documentation_and_README(string name, params string[] dependencies)
    {
        using ZipArchive package = ZipFile.OpenRead(_packed.FilePath($"{name}.{Version}.nupkg"));
        using ZipArchive symbols = ZipFile.OpenRead(_packed.FilePath($"{name}.{Version}.snupkg"));
        string[] files = [.. package.Entries.Select(entry => entry.FullName)];
        XElement metadata = Metadata(package, name);

        Assert.Contains($"lib/net10.0/{name}.dll", files);
        Assert.Contains($"lib/net10.0/{name}.xml", files);
        Assert.Contains("README.md", files);
        Assert.Contains($"lib/net10.0/{name}.pdb", symbols.Entries.Select(entry => entry.FullName));
        Assert.Equal(("README.md", "Apache-2.0"), (Value(metadata, "readme"), Value(metadata, "license")));
        Assert.NotEqual(string.Empty, Value(metadata, "description"));
        Assert.Equal(dependencies.Order(), metadata.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).Order());
    }

    [Fact]
    public void The_READMEs_device_builds_against_the_packages_and_serves()
    {
        string readme = File.ReadAllText(Path.Combine(Home.Folder, "src", "Vgpu.VfioUser", "README.md"));
        int begin = readme.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        _packed.Write("Program.cs", readme[begin..readme.IndexOf("```", begin, StringComparison.Ordinal)]);
        _packed.Write("nuget.config", $"""
            <configuration>
              <packageSources><clear /><add key="packed" value="." />{string.Concat(Packed.NuGetFolders.Select((folder, i) => $"<add key=\"restored{i}\" value=\"{folder}\" />"))}</packageSources>
            </configuration>
            """);
        _packed.Write("Directory.Build.props", "<Project />");
        _packed.Write("clock.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Vgpu.VfioUser" Version="{Version}" />
                <PackageReference Include="Vgpu.Pci" Version="{Version}" />
              </ItemGroup>
            </Project>
            """);
        _packed.Run("dotnet", "build", "clock.csproj", "-nologo", "-v:quiet", "-o", "built");

        using Process clock = _packed.Start("dotnet", "built/clock.dll", "clock.sock");
        try
        {
            Assert.Contains("listening at clock.sock", clock.StandardError.ReadLine(), StringComparison.Ordinal);
            using var client = VfioUserClient.Connect(_packed.FilePath("clock.sock"));
            client.Negotiate();
            Assert.Equal(0x6b636c63u, client.RegionRead<uint>(0, 0));
        }
        finally
        {
            clock.Kill();
            clock.WaitForExit();
        }
    }

    private static XElement Metadata(ZipArchive package, string name)
    {
        using Stream stream = package.GetEntry(name + ".nuspec")!.Open();
        return XDocument.Load(stream).Root!.Elements().Single();
    }

    private static string Value(XElement metadata, string name) => metadata.Elements().Single(e => e.Name.LocalName == name).Value;

    /// <summary>A folder with the packages, made once.</summary>
    public sealed class Packed : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-pack-");

        public Packed()
        {
            // tests/…/bin/CONFIGURATION/net10.0
            string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            Run(Path.Combine(Home.Folder, "eng", "pack"), _folder.FullName, "--no-build", configuration);
        }

        /// <summary>Where NuGet keeps what this build restored, as the restore itself has written down.</summary>
        public static IReadOnlyList<string> NuGetFolders { get; } = ReadNuGetFolders();

        public string FilePath(string name) => Path.Combine(_folder.FullName, name);

        public void Write(string name, string text) => File.WriteAllText(FilePath(name), text);

        public Process Start(string program, params IEnumerable<string> arguments)
        {
            var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true };

            // What a test runner's own build left there is not for this one.
            foreach (string name in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            {
                start.Environment.Remove(name);
            }

            start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
            start.Environment["UseSharedCompilation"] = "false";
            return Process.Start(start) ?? throw new IOException($"{program} did not start");
        }

        /// <summary>Runs to its end, and fails the test with what it said where that is not 0.</summary>
        public void Run(string program, params IEnumerable<string> arguments)
        {
            using Process process = Start(program, arguments);
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, $"{program} ended with status {process.ExitCode}: {output}{errors.GetAwaiter().GetResult()}");
        }

        public void Dispose() => _folder.Delete(recursive: true);

        private static List<string> ReadNuGetFolders()
        {
            string assets = Path.Combine(Home.Folder, "src", "Vgpu.VfioUser", "obj", "project.assets.json");
            using var document = JsonDocument.Parse(File.ReadAllText(assets));
            return [.. document.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)];
        }
    }
}
