using System.CommandLine;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary>A vGPU as it is named on the command line: an instance of the daemon's by its name or UUID, or any by its socket's path.</summary>
/// <param name="Socket">For the VMM.</param>
/// <param name="Screen">For viewers.</param>
/// <param name="Qmp">The VM's QMP socket, which takes keys until the guest has a driver; null where none was set.</param>
internal sealed record Target(string Socket, string Screen, string? Qmp = null)
{
    /// <summary>A word with a '/' in it is a path. Throws <see cref="ApiException"/>, and <see cref="IOException"/> where the instance does not run.</summary>
    internal static Target Find(string word, DaemonOption daemon, ParseResult parsed)
    {
        if (IsPath(word))
        {
            return new Target(word, VgpuServer.ScreenPath(word));
        }

        using ApiClient client = daemon.Connect(parsed);
        Instance instance = client.Find(word);
        return instance.Paths is InstancePaths paths
            ? new Target(paths.Socket, paths.Screen, instance.Settings?.GetValueOrDefault("qmp") is { Length: > 0 } qmp ? qmp : null)
            : throw new IOException($"{word} does not run; start it with 'vgpu start {ShellWords.Quote(word)}'");
    }

    internal static bool IsPath(string word) => word.Contains('/', StringComparison.Ordinal);
}
