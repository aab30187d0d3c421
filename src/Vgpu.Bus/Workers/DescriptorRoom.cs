using System.Globalization;

namespace Vgpu.Bus.Workers;

/// <summary>
/// Whether the daemon has the file descriptors that another instance needs, with what those that run may still ask for: a
/// process that has none left can't even log well, and its workers' clients are protected by what it holds for them.
/// </summary>
internal static class DescriptorRoom
{
    // For the control sockets, the disk and the runtime itself.
    private const int Own = 64;

    // For a client of an instance: of each function its socket, its memory and its interrupts.
    private const int OfInstance = 32;

    private static readonly long s_limit = Limit();

    /// <summary>Throws <see cref="BusException"/> where there is no room beside <paramref name="running"/> instances.</summary>
    internal static void Check(int running)
    {
        long open = Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount();
        if (open + Own + (OfInstance * (running + 1L)) > s_limit)
        {
            throw new BusException(BusError.Exhausted, string.Create(
                CultureInfo.InvariantCulture, $"the daemon may open {s_limit} files, which is too few for one more vGPU; raise its limit (LimitNOFILE) or stop a vGPU"));
        }
    }

    // proc_pid_limits(5): "Max open files            1024                 524288               files".
    private static long Limit()
    {
        const string Name = "Max open files";
        string line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith(Name, StringComparison.Ordinal));
        return long.TryParse(line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out long limit) ? limit : long.MaxValue;
    }
}
