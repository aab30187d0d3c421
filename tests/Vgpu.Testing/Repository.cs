namespace Vgpu.Testing;

/// <summary>The tree that these tests are of.</summary>
public static class Repository
{
    /// <summary>The folder of vgpu.slnx.</summary>
    public static string Folder { get; } = Find();

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
