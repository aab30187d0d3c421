// The whole life of a process that serves one device.
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Vfio;
using Vgpu.VfioUser.Server;

namespace Vgpu.VfioUser;

public sealed partial class VfioUserServer
{
    /// <summary>
    /// The whole of a program that serves one device: <see cref="Run(string, VfioDevice, ILogger?)"/> with a command line of
    /// one argument, the socket's path. Says so on standard error and returns 2 where it is another.
    /// </summary>
    public static int Run(ReadOnlySpan<string> commandLine, VfioDevice device)
    {
        if (commandLine.Length == 1)
        {
            return Run(commandLine[0], device);
        }

        Console.Error.WriteLine($"usage: {Path.GetFileNameWithoutExtension(Environment.GetCommandLineArgs()[0])} SOCKET");
        return 2;
    }

    /// <summary>
    /// Serves <paramref name="device"/> at <paramref name="socketPath"/> until the process is told to end (SIGINT,
    /// SIGTERM), on threads of its own while the caller's waits. The device stays the caller's.
    /// </summary>
    /// <param name="socketPath">At most 107 bytes. A socket left there by a server that died is replaced.</param>
    /// <param name="device">Has no other server.</param>
    /// <param name="log">Where lines go; null: standard error.</param>
    /// <returns>An exit status: 0 once told to end, 1 where it could not listen, which it has logged.</returns>
    public static int Run(string socketPath, VfioDevice device, ILogger? log = null)
    {
        log ??= new StandardErrorLog();
        using var end = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var server = new VfioUserServer(socketPath, device, log);
        try
        {
            server.Start();
        }
        catch (LinuxException e)
        {
            server._log.ListenFailed(e.Message);
            return 1;
        }

        end.Wait();
        return 0;

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            end.Set();
        }
    }
}
