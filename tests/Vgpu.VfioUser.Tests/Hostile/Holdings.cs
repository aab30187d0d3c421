namespace Vgpu.VfioUser.Tests.Hostile;

/// <summary>What this process holds of what servers make: descriptors, maps of clients' memory and threads.</summary>
internal readonly record struct Holdings(int Memory, int Sockets, int Eventfds, int Others, int Mappings, int Threads)
{
    private static readonly string[] _others = ["pipe:", "/dev/null", "/dev/zero", "/"];

    internal static Holdings Now()
    {
        int memory = 0, sockets = 0, eventfds = 0, others = 0;
        foreach (string path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            string target = new FileInfo(path).LinkTarget ?? string.Empty;
            memory += target.StartsWith("/memfd:", StringComparison.Ordinal) ? 1 : 0;
            sockets += target.StartsWith("socket:", StringComparison.Ordinal) ? 1 : 0;
            eventfds += target == "anon_inode:[eventfd]" ? 1 : 0;
            others += Array.Exists(_others, o => target == o || (o.EndsWith(':') && target.StartsWith(o, StringComparison.Ordinal))) ? 1 : 0;
        }

        int mappings = File.ReadLines("/proc/self/maps").Count(line => line.Contains("/memfd:odd", StringComparison.Ordinal));
        int threads = Directory.GetFiles("/proc/self/task", "comm", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Count(path => NameOf(path).StartsWith("vfio-user", StringComparison.Ordinal));
        return new Holdings(memory, sockets, eventfds, others, mappings, threads);
    }

    /// <summary>Waits for a thread or socket that is just ending: as long as it takes, and no longer than a dead one would be noticed.</summary>
    internal static void AssertBackTo(Holdings before, string after)
    {
        Holdings now = default;
        // A thread that has just ended may have been among those of before: fewer are no fault.
        bool same = SpinWait.SpinUntil(() => (now = Now()) with { Threads = before.Threads } == before && now.Threads <= before.Threads, TimeSpan.FromSeconds(60));
        Assert.True(same, $"{after}: {now} instead of {before}");
    }

    private static string NameOf(string comm)
    {
        try
        {
            return File.ReadAllText(comm);
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return string.Empty;
        }
    }
}
