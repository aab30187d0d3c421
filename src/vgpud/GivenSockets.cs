using System.Globalization;
using Vgpu.Api;
using Vgpu.Control;
using Vgpu.Linux;

namespace Vgpu.Daemon;

/// <summary>Sockets that a service manager listens on already (sd_listen_fds(3)): <c>$LISTEN_FDS</c> of them, from descriptor 3.</summary>
internal static class GivenSockets
{
    private const int First = 3;
    private const int Most = 64;

    private static readonly string[] s_variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    /// <summary>
    /// Takes both, by the names <c>vgpud.sock</c> and <c>vgpud-ro.sock</c>; null where none are given to this process. Throws
    /// <see cref="IOException"/> where only one is.
    /// </summary>
    internal static ControlSockets? Take()
    {
        string?[] values = [.. s_variables.Select(Environment.GetEnvironmentVariable)];
        foreach (string variable in s_variables)
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        if (Number(values[0]) != Environment.ProcessId || Number(values[1]) is not (int count and > 0 and <= Most))
        {
            return null;
        }

        string[] names = (values[2] ?? string.Empty).Split(':');
        var found = new Dictionary<string, UnixSocket>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            // The manager's own are open in children too; ours are not.
            using var given = new FileDescriptor(First + i);
            if (i < names.Length && names[i] is DaemonPaths.Socket or DaemonPaths.ReadOnlySocket)
            {
                _ = found.TryAdd(names[i], new UnixSocket(given.Duplicate()));
            }
        }

        if (found.Count == 2)
        {
            return new ControlSockets(found[DaemonPaths.Socket], found[DaemonPaths.ReadOnlySocket]);
        }

        string missing = found.ContainsKey(DaemonPaths.Socket) ? DaemonPaths.ReadOnlySocket : DaemonPaths.Socket;
        throw new IOException($"the service manager gives sockets, and none is named {missing}; start vgpud.socket and vgpud-ro.socket together");
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
