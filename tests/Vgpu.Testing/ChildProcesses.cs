using System.Globalization;

namespace Vgpu.Testing;

/// <summary>Processes that another one has started (proc_tid_children(5)).</summary>
public static class ChildProcesses
{
    /// <summary>Those with this in their command lines.</summary>
    public static IReadOnlyList<int> Of(int pid, string word) =>
        [.. Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task"))
            .SelectMany(task => Read(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Distinct()
            .Where(child => Read($"/proc/{child}/cmdline").Contains(word, StringComparison.Ordinal))
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture))];

    // Nothing of what has ended.
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }
}
