using System.Globalization;

namespace Vgpu.Bench.Screens;

/// <summary>
/// The processor time of processes between two moments, in nanoseconds as the scheduler counts it, thread by thread
/// (proc_pid_schedstat; the clock of proc_pid_stat ticks a hundred times a second). A thread that ended in between is not counted.
/// </summary>
internal sealed class ProcessorTime(IReadOnlyList<int> processes)
{
    private readonly Dictionary<string, long> _before = Threads(processes);

    internal TimeSpan Elapsed => TimeSpan.FromMicroseconds(
        Threads(processes).Sum(thread => thread.Value - _before.GetValueOrDefault(thread.Key)) / 1e3);

    /// <summary>The same by process, by name, in percent of one processor.</summary>
    internal string Shares(TimeSpan time) => string.Join(", ", Threads(processes)
        .GroupBy(thread => thread.Key.Split('/')[2])
        .Select(process => (Name: NameOf(process.Key), Time: process.Sum(thread => thread.Value - _before.GetValueOrDefault(thread.Key))))
        .Where(process => process.Time > 0)
        .Select(process => string.Create(CultureInfo.InvariantCulture, $"{process.Name} {process.Time / time.TotalNanoseconds * 100:0.0} %")));

    private static string NameOf(string pid)
    {
        string[] words = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
        string program = words[0].EndsWith("dotnet", StringComparison.Ordinal) ? words[1] : words[0];
        return string.Join(' ', Path.GetFileName(program), words.Length > 2 && words[2] == "worker" ? "worker" : pid);
    }

    private static Dictionary<string, long> Threads(IReadOnlyList<int> processes)
    {
        Dictionary<string, long> times = new(StringComparer.Ordinal);
        foreach (string thread in processes.SelectMany(TasksOf))
        {
            try
            {
                times[thread] = long.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return times;
    }

    private static string[] TasksOf(int pid)
    {
        string folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task");
        return Directory.Exists(folder) ? Directory.GetDirectories(folder) : throw new BenchmarkException($"process {pid}, which is measured, has ended");
    }
}
