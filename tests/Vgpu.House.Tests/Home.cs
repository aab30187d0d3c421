namespace Vgpu.House.Tests;

/// <summary>The source tree that these tests were built from.</summary>
internal static class Home
{
    /// <summary>Where vgpu.slnx is.</summary>
    public static string Folder { get; } = Find();

    /// <summary>The C# sources below a folder of the tree, those aside that a build makes.</summary>
    public static IEnumerable<string> SourcesIn(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Folder, folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "vgpu.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no vgpu.slnx above the tests");
        }

        return folder.FullName;
    }
}
