using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Cli;
using Vgpu.Viewers.Web;

namespace Vgpu.View;

/// <summary>The viewers' process from its start to its end.</summary>
internal sealed partial class ViewersProgram(ViewOptions options)
{
    private const int UsualWebPort = 6080;
    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Until standard input ends, SIGTERM or SIGINT; the exit status.</summary>
    internal int Run()
    {
        var log = new ConsoleLog(Console.Error, options.Verbose ? LogLevel.Debug : LogLevel.Information, "vgpuview");
        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        var lifeline = new Thread(() =>
        {
            while (Console.In.Read() >= 0)
            {
            }

            ended.Set();
        })
        { Name = "lifeline", IsBackground = true };
        try
        {
            string folder = Path.Combine(options.RunFolder, ViewerPaths.Folder);
            _ = Directory.CreateDirectory(folder, Passable);
            lifeline.Start();
            Serve(folder, log, ended);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
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

    private void Serve(string folder, ILogger log, ManualResetEventSlim ended)
    {
        using var instances = new DaemonInstances(Path.Combine(options.RunFolder, DaemonPaths.Socket));
        using ShownBySpice? spice = ShownBySpice.Begin(log);
        WebConsole? web = null;
        using (var shown = new ShownVgpus(instances, instance => new ShownVgpu(instance, folder, uuid => web?.Link($"{uuid:D}").ToString(), spice, log), log))
        {
            web = Begin(shown, Secrets.Token(ViewerPaths.TokenOf(folder)), log);
            using (web)
            {
                LogReady(log, web.Uris[0]);
                instances.Start();
                ended.Wait();
            }
        }
    }

    // The usual port is asked for by nobody: where it is taken, any will do.
    private WebConsole Begin(IConsoleVgpus vgpus, string token, ILogger log)
    {
        IPEndPoint[] places = options.Web is { } asked ? [asked] : [new(IPAddress.Loopback, UsualWebPort), new(IPAddress.Loopback, 0)];
        for (int i = 0; ; i++)
        {
            var web = new WebConsole(vgpus, new WebConsoleOptions { Address = places[i], Token = token }, log);
            try
            {
                web.Start();
                return web;
            }
            catch (IOException) when (i + 1 < places.Length)
            {
                web.Dispose();
            }
            catch
            {
                web.Dispose();
                throw;
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "the browser's console is at {Uri}; 'vgpu view NAME' prints the address that lets you in")]
    private static partial void LogReady(ILogger log, Uri uri);

    [LoggerMessage(LogLevel.Error, "{Why}")]
    private static partial void LogEnd(ILogger log, string why);
}
