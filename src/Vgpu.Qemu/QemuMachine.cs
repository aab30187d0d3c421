using System.Diagnostics;
using System.Net.Sockets;

namespace Vgpu.Qemu;

/// <summary>
/// A running QEMU: its process, its serial console (standard input and output) and QMP. Dispose ends it.
/// </summary>
public sealed class QemuMachine : IDisposable
{
    private readonly string _folder;
    private readonly Lock _errorsLock = new();
    private readonly List<string> _errors = [];

    private QemuMachine(Process process, string folder)
    {
        Process = process;
        _folder = folder;
    }

    public Process Process { get; }

    public QmpClient Qmp { get; private set; } = null!;

    /// <summary>The guest's first serial port, its output.</summary>
    public StreamReader Serial => Process.StandardOutput;

    /// <summary>The guest's first serial port, its input.</summary>
    public StreamWriter SerialInput => Process.StandardInput;

    /// <summary>What QEMU itself has complained of so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errorsLock)
            {
                return string.Join('\n', _errors);
            }
        }
    }

    /// <summary>
    /// Starts QEMU with these arguments, no screen of its own, the serial port on its standard streams, and QMP.
    /// Throws <see cref="IOException"/> with QEMU's own words where it ends at once.
    /// </summary>
    /// <param name="arguments">All arguments but for display, serial, monitor and QMP.</param>
    /// <param name="timeout">How long QMP may be silent.</param>
    public static QemuMachine Start(IEnumerable<string> arguments, TimeSpan timeout) => Start(QemuInstallation.Executable, arguments, "none", timeout);

    /// <summary>The same with another QEMU, and a display of its own.</summary>
    /// <param name="executable">Its file.</param>
    /// <param name="arguments">As above.</param>
    /// <param name="display">What <c>-display</c> takes.</param>
    /// <param name="timeout">As above.</param>
    /// <param name="environment">Added to this process's own.</param>
    public static QemuMachine Start(
        string executable, IEnumerable<string> arguments, string display, TimeSpan timeout, params IEnumerable<(string Name, string Value)> environment)
    {
        string folder = Directory.CreateTempSubdirectory("vgpu-qemu-").FullName;
        string qmp = Path.Combine(folder, "qmp");
        var start = new ProcessStartInfo(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        string[] own = ["-display", display, "-chardev", "stdio,id=serial0,signal=off", "-serial", "chardev:serial0", "-qmp", $"unix:{qmp},server=on,wait=off"];
        foreach (string argument in own)
        {
            start.ArgumentList.Add(argument);
        }

        QemuMachine? machine = null;
        try
        {
            Process process = Process.Start(start) ?? throw new IOException("QEMU did not start");
            machine = new QemuMachine(process, folder);
            process.ErrorDataReceived += machine.KeepError;
            process.BeginErrorReadLine();
            machine.Qmp = machine.ConnectQmp(qmp, timeout);
            return machine;
        }
        catch
        {
            if (machine is null)
            {
                Directory.Delete(folder, recursive: true);
            }

            machine?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        Process.WaitForExit();
        Qmp?.Dispose();
        Process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private QmpClient ConnectQmp(string path, TimeSpan timeout)
    {
        // QEMU has no signal for "QMP listens": the socket's file is looked for until it is there or QEMU has ended.
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            try
            {
                return QmpClient.Connect(path, timeout);
            }
            catch (SocketException) when (Environment.TickCount64 < deadline)
            {
                if (Process.WaitForExit(20))
                {
                    Process.WaitForExit();
                    throw new IOException($"QEMU ended with status {Process.ExitCode}: {Errors}");
                }
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                if (Process.WaitForExit(1000))
                {
                    Process.WaitForExit();
                    throw new IOException($"QEMU ended with status {Process.ExitCode}: {Errors}", e);
                }

                throw;
            }
        }
    }

    private void KeepError(object sender, DataReceivedEventArgs line)
    {
        lock (_errorsLock)
        {
            if (line.Data is not null && _errors.Count < 200)
            {
                _errors.Add(line.Data);
            }
        }
    }
}
