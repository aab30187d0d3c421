using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>A program of samples/ in a process of its own, with a socket in a folder of its own, until disposed.</summary>
public sealed class SampleProcess : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-sample-");
    private readonly BlockingCollection<string> _lines = [];
    private readonly Process _process;

    /// <summary>Returns once it listens. <paramref name="arguments"/> follow the socket's path; files go to the same folder.</summary>
    public SampleProcess(string name, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder.FullName };
        string program = Path.Combine(AppContext.BaseDirectory, name + ".dll");
        foreach (string argument in (IEnumerable<string>)[program, SocketPath, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new IOException($"{name} did not start");
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        WaitFor("listening at");
    }

    public VgpuAttachment Attachment => new(SocketPath);

    private string SocketPath => Path.Combine(_folder.FullName, "sample.sock");

    /// <summary>A file in the folder that it runs in.</summary>
    public string FilePath(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Takes its lines up to the first that contains <paramref name="part"/>, which it returns.</summary>
    public string WaitFor(string part)
    {
        while (true)
        {
            Assert.True(_lines.TryTake(out string? line, TimeSpan.FromSeconds(60)), $"the sample never said: {part}");
            if (line.Contains(part, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    /// <summary>Sends it a signal, by kill(1)'s name for it.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{name} {_process.Id}")]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Ends it by SIGTERM and returns its exit status.</summary>
    public int End()
    {
        Signal("TERM");
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(60)), "the sample does not end");
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
        _lines.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _lines.Add(line.Data);
        }
    }
}
