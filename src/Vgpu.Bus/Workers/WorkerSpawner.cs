using System.ComponentModel;
using System.Diagnostics;

namespace Vgpu.Bus.Workers;

/// <summary>Starts worker processes. They connect by themselves, and live on without the daemon.</summary>
internal static class WorkerSpawner
{
    /// <summary>Throws <see cref="IOException"/> with a line for the operator.</summary>
    internal static void Start(WorkerHostOptions options)
    {
        var start = new ProcessStartInfo(options.Command[0]) { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        foreach (string argument in options.Command.Skip(1).Append(options.WorkersSocket))
        {
            start.ArgumentList.Add(argument);
        }

        // Small and soon there beats fast in the long run: hundreds of these sleep beside each other.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment.Remove("NOTIFY_SOCKET");
        start.Environment.Remove("LISTEN_FDS");
        try
        {
            using Process process = Process.Start(start) ?? throw new IOException("no process was started");
            process.StandardInput.Close();
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{options.Command[0]} can't be run ({e.Message}); is it installed, and are processes and memory left?", e);
        }
    }
}
