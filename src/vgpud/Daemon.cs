using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Cli;
using Vgpu.Control;
using Vgpu.Linux;

namespace Vgpu.Daemon;

/// <summary>One daemon on one run folder, from its lock to its end. Its end leaves workers as they are.</summary>
/// <param name="options">What was asked for.</param>
internal sealed partial class Daemon(DaemonOptions options)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Open = Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Until SIGTERM or SIGINT; the exit status.</summary>
    internal int Run()
    {
        var log = new ConsoleLog(Console.Error, options.Verbose ? LogLevel.Debug : LogLevel.Information, "vgpud");
        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            // The sockets' folder is everybody's way to the read-only socket.
            _ = Directory.CreateDirectory(options.RunFolder, Open);
            _ = Directory.CreateDirectory(options.StateFolder, Private);
            string lockPath = Path.Combine(options.RunFolder, "vgpud.lock");
            using FileLock? own = FileLock.TryTake(lockPath, out int holder);
            if (own is null)
            {
                LogOther(log, options.RunFolder, holder);
                return 1;
            }

            var notices = new ServiceNotices();
            Serve(log, notices, ended.WaitHandle);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BusException)
        {
            LogEnd(log, e.Message);
            return 1;
        }

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.Set();
        }
    }

    private void Serve(ILogger log, ServiceNotices notices, WaitHandle ended)
    {
        ControlSockets sockets = GivenSockets.Take() ?? ControlSockets.Listen(options.RunFolder);
        Composition composition;
        try
        {
            composition = new Composition(options, log);
        }
        catch
        {
            sockets.Dispose();
            throw;
        }

        ViewersProcess? viewers = null;
        using (composition)
        using (var server = new ControlServer(composition.Bus, sockets, log, options.Metrics, uuid => Volatile.Read(ref viewers)?.Of(uuid)))
        {
            server.Start();
            composition.Start(options, log);
            IBus bus = composition.Bus;
            LogReady(log, options.RunFolder);
            notices.Ready($"{bus.Instances().Count} instance(s) on {bus.Parents().Count} parent(s)");
            Volatile.Write(ref viewers, options.Viewers is { } told ? ViewersProcess.Start(options.RunFolder, told, log) : null);
            _ = ended.WaitOne();
            notices.Stopping();
            viewers?.Dispose();
        }

        LogStopped(log);
    }

    [LoggerMessage(LogLevel.Error, "another vgpud runs in {Folder}, process {Pid}; end it, or give --run another folder")]
    private static partial void LogOther(ILogger log, string folder, int pid);

    [LoggerMessage(LogLevel.Error, "{Why}")]
    private static partial void LogEnd(ILogger log, string why);

    [LoggerMessage(LogLevel.Information, "ready, in {Folder}")]
    private static partial void LogReady(ILogger log, string folder);

    [LoggerMessage(LogLevel.Information, "stopped; workers go on")]
    private static partial void LogStopped(ILogger log);
}
