using System.Diagnostics;

namespace Vgpu.Testing;

/// <summary>Programs of the machine, run to their end.</summary>
public static class Shell
{
    /// <summary>Exit status, and both outputs together.</summary>
    public static (int Status, string Output) Run(string program, params IEnumerable<string> arguments) => Run(program, arguments, null);

    public static (int Status, string Output) Run(string program, IEnumerable<string> arguments, string? mdevctlRoot)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        if (mdevctlRoot is not null)
        {
            start.Environment["MDEVCTL_ENV_ROOT"] = mdevctlRoot;
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
