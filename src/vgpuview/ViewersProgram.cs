using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Cli;
using Vgpu.Linux;
using Vgpu.Viewers.Web;

namespace Vgpu.View;

/// <summary>The viewers' process from its start to its end.</summary>
internal sealed partial class ViewersProgram(ViewOptions options)
{
    private const int UsualWebPort = 6080;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
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
            using FileLock? own = AwaitTurn(ViewerPaths.LockOf(folder), log, ended);
            if (own is not null)
            {
                Serve(folder, log, ended);
            }

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

    // One that a daemon of before has left ends when it notices, and takes its sockets and addresses away: not ours. Null: this
    // one has to end before.
    private static FileLock? AwaitTurn(string path, ILogger log, ManualResetEventSlim ended)
    {
        bool hasSaid = false;
        do
        {
            if (FileLock.TryTake(path, out int holder) is { } own)
            {
                return own;
            }

            if (!hasSaid)
            {
                LogWaiting(log, holder);
                hasSaid = true;
            }
        }
        while (!ended.Wait(s_pause));
        return null;
    }

    private void Serve(string folder, ILogger log, ManualResetEventSlim ended)
    {
        using var instances = new DaemonInstances(Path.Combine(options.RunFolder, DaemonPaths.Socket));
        using ShownBySpice? spice = ShownBySpice.Begin(log);
        WebConsole? web = null;
        using (var shown = new ShownVgpus(instances, instance => new ShownVgpu(instance, folder, (uuid, isViewOnly) => web?.Link($"{uuid:D}", isViewOnly).ToString(), spice, log), log))
        {
            web = Begin(shown, folder, log);
            using (web)
            {
                LogReady(log, web.Uris[0]);
                instances.Start();
                ended.Wait();
            }
        }
    }

    // The usual port is asked for by nobody: where it is taken, any will do, and that one again the next time.
    private WebConsole Begin(IConsoleVgpus vgpus, string folder, ILogger log)
    {
        var asks = new WebConsoleOptions
        {
            Token = Secrets.Token(ViewerPaths.TokenOf(folder)),
            ViewToken = Secrets.Token(ViewerPaths.ViewTokenOf(folder)),
            CertificateFile = options.WebCertificate,
            KeyFile = options.WebKey,
        };
        string portFile = ViewerPaths.WebPortOf(folder);
        int former = File.Exists(portFile) && int.TryParse(File.ReadAllText(portFile), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= IPEndPoint.MaxPort ? port : UsualWebPort;
        IPEndPoint[] places = options.Web is { } asked ? [asked] : [.. ((int[])[former, UsualWebPort, 0]).Select(each => new IPEndPoint(IPAddress.Loopback, each))];
        for (int i = 0; ; i++)
        {
            var web = new WebConsole(vgpus, asks with { Address = places[i] }, log);
            try
            {
                web.Start();
                Secrets.Write(portFile, Encoding.ASCII.GetBytes(web.Uris[0].Port.ToString(CultureInfo.InvariantCulture)));
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

    [LoggerMessage(LogLevel.Information, "waits for the viewers' process of before, {Pid}, to end")]
    private static partial void LogWaiting(ILogger log, int pid);

    [LoggerMessage(LogLevel.Error, "{Why}")]
    private static partial void LogEnd(ILogger log, string why);
}
