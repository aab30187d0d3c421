using System.CommandLine;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli;

/// <summary>A vGPU as it is named on the command line: an instance of the daemon's by its name or UUID, or any by its socket's path.</summary>
/// <param name="Socket">For the VMM.</param>
/// <param name="Screen">For viewers.</param>
internal sealed record Target(string Socket, string Screen)
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
            ? new Target(paths.Socket, paths.Screen)
            : throw new IOException($"{word} does not run; start it with 'vgpu start {ShellWords.Quote(word)}'");
    }

    internal static bool IsPath(string word) => word.Contains('/', StringComparison.Ordinal);
}
