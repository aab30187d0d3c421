using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Vgpu.Api;

namespace Vgpu.Daemon;

/// <summary>
/// The process that shows screens, and what it says of where. It talks to networks and parses what comes from there, so it is
/// not the daemon; it ends when its standard input does, and when it ends by itself another one is started.
/// </summary>
internal sealed partial class ViewersProcess : IDisposable
{
    private const string Program = "vgpuview.dll";

    // Of the managed heap, in hexadecimal: 2 GiB.
    private const string MostManagedBytes = "0x80000000";
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);

    private readonly string _program;
    private readonly IReadOnlyList<string> _arguments;
    private readonly string _folder;
    private readonly ILogger _log;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Thread _thread;
    private Process? _process;

    private ViewersProcess(string program, string runFolder, IReadOnlyList<string> arguments, ILogger log)
    {
        (_program, _arguments, _log) = (program, ["--run", runFolder, .. arguments], log);
        _folder = Path.Combine(runFolder, ViewerPaths.Folder);
        _thread = new Thread(Run) { Name = "viewers", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Starts it; null, with a line in the log, where it is not installed.</summary>
    internal static ViewersProcess? Start(string runFolder, IReadOnlyList<string> arguments, ILogger log)
    {
        string here = AppContext.BaseDirectory;
        string[] places = [Path.Combine(here, Program), Path.GetFullPath(Path.Combine(here, "..", "vgpuview", Program))];
        if (places.FirstOrDefault(File.Exists) is not string program)
        {
            LogMissing(log, Program, here);
            return null;
        }

        return new ViewersProcess(program, runFolder, arguments, log);
    }

    /// <summary>Where an instance's screen can be seen; null where nobody shows it. Any thread.</summary>
    internal ViewerAddresses? Of(Guid uuid)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(ViewerPaths.AddressesOf(_folder, uuid)), ApiJson.Viewers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _ending.Set();
        Volatile.Read(ref _process)?.StandardInput.Close();
        _thread.Join();
        _ending.Dispose();
    }

    private void Run()
    {
        TimeSpan pause = s_shortestPause;
        while (!_ending.IsSet)
        {
            long begun = Stopwatch.GetTimestamp();
            RunOnce();
            if (_ending.Wait(pause))
            {
                return;
            }

            LogAgain(_log);
            bool heldOut = Stopwatch.GetElapsedTime(begun) > s_longestPause;
            pause = heldOut || pause * 2 > s_longestPause ? (heldOut ? s_shortestPause : s_longestPause) : pause * 2;
        }
    }

    private void RunOnce()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath ?? "dotnet", [_program, .. _arguments]) { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        // What viewers make it keep is bounded, each and all; this is for what was not thought of. It ends there, and begins anew.
        start.Environment["DOTNET_GCHeapHardLimit"] = MostManagedBytes;
        start.Environment.Remove("NOTIFY_SOCKET");
        start.Environment.Remove("LISTEN_FDS");
        try
        {
            using Process process = Process.Start(start) ?? throw new Win32Exception("no process was started");
            Volatile.Write(ref _process, process);
            if (_ending.IsSet)
            {
                process.StandardInput.Close();
            }

            process.WaitForExit();
            Volatile.Write(ref _process, null);
        }
        catch (Win32Exception e)
        {
            LogNotStarted(_log, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "there is no {Program} in {Folder}: screens are shown by 'vgpu shot' alone")]
    private static partial void LogMissing(ILogger log, string program, string folder);

    [LoggerMessage(LogLevel.Error, "the viewers' process can't be started: {Why}")]
    private static partial void LogNotStarted(ILogger log, string why);

    [LoggerMessage(LogLevel.Warning, "the viewers' process ended; another one is started")]
    private static partial void LogAgain(ILogger log);
}
