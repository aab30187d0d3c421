using System.Diagnostics;
using System.Runtime.CompilerServices;
using Vgpu.Linux;

namespace Vgpu.Tree.Tests;

/// <summary>
/// A process that mounts a tree of one file and serves it until it is ended: this test assembly, started again with a
/// variable set, before any test runs. It says in one line whether it could.
/// </summary>
internal sealed class ServedTree : IDisposable
{
    public const string Mounted = "mounted";
    private const string Variable = "VGPU_TEST_TREE";

    private readonly Process _process;

    /// <summary>In a mount name space of its own where <paramref name="prepare"/> is a command that changes it first.</summary>
    public ServedTree(string path, string? prepare = null)
    {
        string program = Path.ChangeExtension(typeof(ServedTree).Assembly.Location, null);
        IEnumerable<string> command = prepare is null ? [program] : ["unshare", "--mount", "sh", "-c", prepare + " && exec \"$0\"", program];
        var start = new ProcessStartInfo(command.First(), command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment[Variable] = path;
        _process = Process.Start(start)!;
        Said = _process.StandardOutput.ReadLine();
    }

    public string? Said { get; }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

#pragma warning disable CA2255 // The only way in before the test runner's own entry point.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Begin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } path)
        {
            return;
        }

        var root = new FuseFolder(new Dictionary<string, FuseNode> { ["file"] = new FuseFile(() => "served", null) });
        try
        {
            using FuseMount mount = FuseMount.Mount(path, root);
            Console.WriteLine(Mounted);
            Console.In.ReadToEnd();
        }
        catch (FuseException e)
        {
            Console.WriteLine(e.Message);
        }

        Environment.Exit(0);
    }
}
