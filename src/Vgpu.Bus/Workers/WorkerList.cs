using System.Globalization;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Which worker processes there are, for the next daemon: a file a worker in the run folder, named by its process, with that
/// process's start time in it, which nobody who has its number later has as well. Whoever reads of other processes in
/// /proc can be held up by any of them; this reads of workers only.
/// </summary>
internal sealed class WorkerList(string runFolder)
{
    // The field of proc_pid_stat(5), counted from the state, which is the first after the name.
    private const int StartTime = 22 - 3;

    private readonly string _folder = Path.Combine(runFolder, "workers");

    /// <summary>Notes a worker that is there now. Throws <see cref="IOException"/>.</summary>
    internal void Add(int pid)
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(PathOf(pid), TimeOf(pid));
    }

    internal void Remove(int pid) => File.Delete(PathOf(pid));

    /// <summary>Those that still are; the others' files are gone afterwards.</summary>
    internal IReadOnlyList<int> Living()
    {
        List<int> living = [];
        if (!Directory.Exists(_folder))
        {
            return living;
        }

        foreach (string path in Directory.EnumerateFiles(_folder))
        {
            if (int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && TimeOf(pid) is { Length: > 0 } time && time == File.ReadAllText(path))
            {
                living.Add(pid);
            }
            else
            {
                File.Delete(path);
            }
        }

        return living;
    }

    // Empty: no such process, or it has ended and waits for its parent.
    private static string TimeOf(int pid)
    {
        using PidFd? process = PidFd.Open(pid);
        if (process is null || process.HasEnded)
        {
            return string.Empty;
        }

        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[StartTime];
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }

    private string PathOf(int pid) => Path.Combine(_folder, pid.ToString(CultureInfo.InvariantCulture));
}
