using System.CommandLine;
using System.Net.Sockets;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary>A running QEMU that a command plugs into or out of.</summary>
internal sealed class VirtualMachine
{
    private readonly Option<string> _qmp = new("--qmp") { Description = "The VM's QMP socket (QEMU's -qmp unix:PATH,server=on,wait=off)", Required = true, HelpName = "SOCKET" };
    private readonly Option<int> _timeout = new("--timeout") { Description = "Give it this many seconds", DefaultValueFactory = _ => 60, HelpName = "SECONDS" };

    internal VirtualMachine(Command command)
    {
        command.Add(_qmp);
        command.Add(_timeout);
    }

    /// <summary>How long to wait. Throws <see cref="OperatorException"/>.</summary>
    internal TimeSpan Limit(ParseResult parsed) =>
        parsed.GetValue(_timeout) is >= 1 and <= 86_400 and int seconds ? TimeSpan.FromSeconds(seconds) : throw new OperatorException("--timeout is a number of seconds, 1 to 86400");

    /// <summary>Throws <see cref="IOException"/>.</summary>
    internal QmpClient Connect(ParseResult parsed)
    {
        string path = parsed.GetValue(_qmp)!;
        try
        {
            return QmpClient.Connect(path, Limit(parsed));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new IOException($"no VM answers at {path} ({e.Message}); start QEMU with: -qmp unix:{path},server=on,wait=off", e);
        }
    }

    /// <summary>What QEMU calls a vGPU that has this name.</summary>
    internal static string IdOf(string name) => $"vgpu-{(Target.IsPath(name) ? Path.GetFileNameWithoutExtension(name) : name)}";
}
