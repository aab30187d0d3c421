using System.ComponentModel;

namespace Vgpu.Testing;

/// <summary>
/// The machine's mdevctl, as it is. From 1.3 on it takes its root from MDEVCTL_ENV_ROOT; an older one is given a mount
/// name space of its own in which the tree's folders lie where it looks.
/// </summary>
public static class Mdevctl
{
    private const string InOwnNamespace =
        "mount --rbind \"$0/sys\" /sys && mount --bind \"$0/etc/mdevctl.d\" /etc/mdevctl.d && exec mdevctl \"$@\"";

    private static Version? s_version;

    public static (int Status, string Output) Run(string root, params IEnumerable<string> arguments) => (s_version ??= FindVersion(root)) >= new Version(1, 3)
        ? Shell.Run("mdevctl", arguments, root)
        : Shell.Run("unshare", ["--mount", "--propagation", "private", "sh", "-c", InOwnNamespace, root, .. arguments]);

    /// <summary>What it prints, without the newlines at the end, which differ between versions; it must succeed.</summary>
    public static string Ok(string root, params IEnumerable<string> arguments)
    {
        (int status, string output) = Run(root, arguments);
        Assert.True(status == 0, $"mdevctl {string.Join(' ', arguments)}: {status}: {output}");
        return output.TrimEnd('\n');
    }

    private static Version FindVersion(string root)
    {
        try
        {
            (int status, string output) = Shell.Run("mdevctl", ["--version"], root);
            return status == 0 ? Version.Parse(output.Trim().Split(' ')[^1]) : throw new InvalidOperationException(output);
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException("mdevctl is missing; install it with: apt install mdevctl");
        }
    }
}
