using System.Diagnostics;

namespace Vgpu.Cli.Tests;

/// <summary>A folder of the test's own, away when it ends.</summary>
public sealed class Folder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-cli-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    public IEnumerable<string> Names => _folder.EnumerateFileSystemInfos().Select(entry => entry.Name).Order();

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary><c>vgpu serve</c> in a process of its own; it has said where it serves once this is made.</summary>
public sealed class Served : IDisposable
{
    private readonly Process _process;
    private bool _ended;

    public Served(string socket, params string[] options)
    {
        _process = Cli.Start(["serve", "--socket", socket, .. options]);
        FirstLine = _process.StandardOutput.ReadLine() ?? string.Empty;
        if (FirstLine.Length == 0)
        {
            _ended = true;
            Assert.Fail($"serve ended: {Cli.End(_process).Errors}");
        }
    }

    /// <summary>What it said first.</summary>
    public string FirstLine { get; }

    /// <summary>Ends it by a signal; what it wrote after the first line.</summary>
    public Outcome EndBy(string signal)
    {
        Cli.Signal(_process, signal);
        _ended = true;
        return Cli.End(_process);
    }

    public void Dispose()
    {
        if (!_ended)
        {
            _ = EndBy("TERM");
        }
    }
}
