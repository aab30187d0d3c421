using System.Diagnostics;

namespace Vgpu.Cli.Tests;

/// <summary>What a program left: its exit status and what it wrote.</summary>
public sealed record Outcome(int Status, string Output, string Errors)
{
    /// <summary>Asserts an exit status with one line of error that has these texts in it, and nothing else written.</summary>
    public void AssertOneLine(int status, params string[] texts)
    {
        Assert.True(status == Status, $"status {Status}: {Output}{Errors}");
        Assert.Empty(Output);
        Assert.StartsWith("vgpu: ", Errors, StringComparison.Ordinal);
        Assert.Equal(Errors.Length - 1, Errors.IndexOf('\n', StringComparison.Ordinal));
        Assert.All(texts, text => Assert.Contains(text, Errors, StringComparison.Ordinal));
    }

    /// <summary>Asserts that it was done without a complaint; what it wrote.</summary>
    public string AssertDone()
    {
        Assert.Equal((0, string.Empty), (Status, Errors));
        return Output;
    }
}

/// <summary>The built command line, run as a process of its own.</summary>
public static class Cli
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>The built program, for <c>dotnet</c> to run.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "vgpu", "vgpu.dll");

    /// <summary>The program, started.</summary>
    public static Process Start(IEnumerable<string> arguments, string? cache = null) =>
        StartProgram(Environment.ProcessPath is { } self && Path.GetFileName(self) == "dotnet" ? self : "dotnet", [Program, .. arguments], cache);

    /// <summary>The program, run to its end.</summary>
    public static Outcome Run(params string[] arguments) => End(Start(arguments));

    /// <summary>The same with this folder as its cache.</summary>
    public static Outcome RunWithCache(string cache, params string[] arguments) => End(Start(arguments, cache));

    /// <summary>A script in bash, in which <c>vgpu</c> is the program.</summary>
    public static Outcome Bash(string script) => End(StartProgram("bash", ["-c", $$"""vgpu() { dotnet '{{Program}}' "$@"; }{{'\n'}}{{script}}"""], null));

    /// <summary>Sends a signal by the name that kill(1) knows.</summary>
    public static void Signal(Process process, string signal) =>
        Assert.Equal(0, End(StartProgram("bash", ["-c", $"kill -{signal} {process.Id}"], null)).Status);

    /// <summary>Waits for the end and takes what was written; fails the test where it does not end.</summary>
    public static Outcome End(Process process)
    {
        using (process)
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(s_patience))
            {
                process.Kill();
                Assert.Fail($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} does not end");
            }

            return new Outcome(process.ExitCode, output.Result, errors.Result);
        }
    }

    private static Process StartProgram(string file, IEnumerable<string> arguments, string? cache)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (cache is not null)
        {
            start.Environment["VGPU_CACHE"] = cache;
            start.Environment.Remove("VGPU_QEMU");
        }

        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
