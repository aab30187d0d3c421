namespace Vgpu.Api;

/// <summary>
/// Where the daemon keeps things and where it is found, unless told otherwise: of the system where root runs it, else of
/// one user, by the XDG base directories.
/// </summary>
public static class DaemonPaths
{
    /// <summary>The name of the socket that takes every request, in the run folder and in systemd's FileDescriptorName.</summary>
    public const string Socket = "vgpud.sock";

    /// <summary>The name of the socket for everybody, which only shows.</summary>
    public const string ReadOnlySocket = "vgpud-ro.sock";

    private const string SystemRunFolder = "/run/vgpu";

    /// <summary>Definitions.</summary>
    public static string StateFolder => Environment.IsPrivilegedProcess
        ? "/var/lib/vgpu"
        : Path.Combine(Variable("XDG_STATE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"), "vgpu");

    /// <summary>Sockets and the lock; null where this user has no folder for such things (no XDG_RUNTIME_DIR).</summary>
    public static string? RunFolder => Environment.IsPrivilegedProcess ? SystemRunFolder : OwnRunFolder;

    private static string? OwnRunFolder => Variable("XDG_RUNTIME_DIR") is string folder ? Path.Combine(folder, "vgpu") : null;

    /// <summary>
    /// The socket of the daemon that a command means: <c>$VGPU_SOCKET</c>; else the user's own daemon where it runs; else the
    /// system's.
    /// </summary>
    public static string FindSocket()
    {
        if (Variable("VGPU_SOCKET") is string chosen)
        {
            return chosen;
        }

        string? own = Environment.IsPrivilegedProcess || OwnRunFolder is null ? null : Path.Combine(OwnRunFolder, Socket);
        return File.Exists(own) ? own : Path.Combine(SystemRunFolder, Socket);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
