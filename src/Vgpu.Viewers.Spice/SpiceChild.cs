using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Vgpu.Linux;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// A process that serves one screen (<see cref="SpiceProgram"/>): without privileges, never to gain any, with bounds on memory
/// and files, and no more of the environment than it needs. Not thread-safe.
/// </summary>
internal sealed class SpiceChild : IDisposable
{
    private const int MostFiles = 256;
    private const long ManagedShare = 4;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly string[] s_kept = ["PATH", "LANG", "LC_ALL", "TMPDIR", "JOURNAL_STREAM"];

    // What one inherits must not be inherited by another.
    private static readonly Lock s_starting = new();

    private readonly Process _process;

    private SpiceChild(Process process, SpiceHandover handover) => (_process, Handover) = (process, handover);

    internal SpiceHandover Handover { get; }

    /// <summary>Whether a client is connected, as it said last.</summary>
    internal bool IsWatched { get; set; }

    /// <summary>When somebody was last seen to come or go (<see cref="Environment.TickCount64"/>).</summary>
    internal long LastSeen { get; set; } = Environment.TickCount64;

    /// <summary>Throws <see cref="IOException"/>.</summary>
    internal static SpiceChild Start(SpiceDoorOptions door, SpiceDoorsOptions options)
    {
        (UnixSocket ours, UnixSocket theirs) = UnixSocket.Pair();
        try
        {
            using (theirs)
                lock (s_starting)
                {
                    using FileDescriptor inherited = theirs.Descriptor.DuplicateForPrograms();
                    return new SpiceChild(Start(door, options, inherited.Number), new SpiceHandover(ours));
                }
        }
        catch (Exception e)
        {
            ours.Dispose();
            throw e is Win32Exception ? new IOException($"{e.Message}; are prlimit and setpriv (package util-linux) installed, and processes and memory left?", e) : e;
        }
    }

    /// <summary>It ends now, if it has not; how it ended, for a line of the log.</summary>
    internal string End()
    {
        bool hadEnded = _process.WaitForExit(TimeSpan.FromMilliseconds(100));
        _process.Kill();
        _ = _process.WaitForExit(s_patience);
        return hadEnded ? string.Create(CultureInfo.InvariantCulture, $"with status {_process.ExitCode}") : "by hanging up";
    }

    public void Dispose()
    {
        // What its clients hold down is let go by the feed's other side.
        _process.Kill();
        _process.Dispose();
        Handover.Dispose();
    }

    private static Process Start(SpiceDoorOptions door, SpiceDoorsOptions options, int handover)
    {
        List<string> words =
        [
            .. Limits(options), .. Privileges(door), "--", .. options.Command,
            "--feed", door.Feed, "--name", door.Name, "--address", string.Create(CultureInfo.InvariantCulture, $"fd:{handover}"), "--password-stdin",
        ];
        if (door.IsLossless)
        {
            words.Add("--lossless");
        }

        var start = new ProcessStartInfo(words[0], words.Skip(1)) { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (string variable in start.Environment.Keys.Where(name => !s_kept.Contains(name) && !name.StartsWith("DOTNET_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = string.Create(CultureInfo.InvariantCulture, $"0x{options.MostMemory / ManagedShare:x}");
        Process process = Process.Start(start) ?? throw new Win32Exception("no process was started");
        try
        {
            process.StandardInput.WriteLine(door.Password);
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended already, which the handover's end tells too.
        }

        return process;
    }

    private static IEnumerable<string> Limits(SpiceDoorsOptions options) =>
    [
        "prlimit",
        "--core=0:0",
        string.Create(CultureInfo.InvariantCulture, $"--nofile={MostFiles}:{MostFiles}"),
        string.Create(CultureInfo.InvariantCulture, $"--data={options.MostMemory}:{options.MostMemory}"),
    ];

    private static IEnumerable<string> Privileges(SpiceDoorOptions door)
    {
        yield return "setpriv";
        yield return "--no-new-privs";
        yield return "--inh-caps=-all";
        if (!Environment.IsPrivilegedProcess)
        {
            yield break;
        }

        yield return "--bounding-set=-all";
        yield return "--clear-groups";
        if (door.RunAs is (uint uid, uint gid))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"--reuid={uid}");
            yield return string.Create(CultureInfo.InvariantCulture, $"--regid={gid}");
        }
    }
}
