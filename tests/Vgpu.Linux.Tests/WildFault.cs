using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Vgpu.Linux.Tests;

/// <summary>
/// A process that survives a SIGBUS in a guarded range and then meets one elsewhere: this test assembly, started
/// again with a variable set, before any test runs.
/// </summary>
internal static unsafe class WildFault
{
    private const string Variable = "VGPU_TEST_WILD_SIGBUS";

    internal static (int ExitCode, string Output) Run()
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(WildFault).Assembly.Location, null))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [Variable] = "1", ["DOTNET_DbgEnableMiniDump"] = "0" },
        };
        using Process child = Process.Start(start)!;
        child.ErrorDataReceived += static (_, _) => { };
        child.BeginErrorReadLine();
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return (child.ExitCode, output);
    }

#pragma warning disable CA2255 // The only way in before the test runner's own entry point.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Begin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            return;
        }

        using FileDescriptor file = MemFd.Create("wild", 8192, Seals.None);
        using var guarded = MemoryMapping.Share(file, 0, 4096, MemoryProtection.ReadWrite);
        using var wild = MemoryMapping.Share(file, 4096, 4096, MemoryProtection.ReadWrite);
        _ = SigBusGuard.Register(guarded, 4096);
        file.Truncate(0);
        Console.Out.Write($"guarded {*guarded.Pointer};");
        Console.Out.Flush();
        Console.Out.Write($"wild {*wild.Pointer};");
        Console.Out.Flush();
        Environment.Exit(0);
    }
}
