// What this process holds: its descriptors by their links, for the runtime opens files of its own at any time.
namespace Vgpu.Testing;

public static class OwnDescriptors
{
    /// <summary>Descriptors whose file's name has one of these parts.</summary>
    public static int Count(params string[] parts) =>
        Directory.GetFileSystemEntries("/proc/self/fd").Count(path =>
            new FileInfo(path).LinkTarget is { } target && parts.Any(part => target.Contains(part, StringComparison.Ordinal)));
}
