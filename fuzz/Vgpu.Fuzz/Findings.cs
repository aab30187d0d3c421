using System.IO.MemoryMappedFiles;

namespace Vgpu.Fuzz;

/// <summary>Writes inputs that showed a fault down; the one that is being played survives even the process's death.</summary>
internal sealed class Findings : IDisposable
{
    private const int Longest = 1 << 20;

    private readonly string _folder;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _current;

    /// <param name="folder">Where findings go.</param>
    /// <param name="current">A file that holds the length, 4 bytes, and the bytes of the input that is being played.</param>
    internal Findings(string folder, string current)
    {
        _folder = folder;
        _file = MemoryMappedFile.CreateFromFile(current, FileMode.Create, null, Longest);
        _current = _file.CreateViewAccessor();
    }

    internal void Playing(byte[] input)
    {
        int length = Math.Min(input.Length, Longest - sizeof(int));
        _current.Write(0, length);
        _current.WriteArray(sizeof(int), input, 0, length);
    }

    /// <summary>Writes it down; one line that says what it is and how to see it again.</summary>
    internal string Add(string target, byte[] input, Exception fault)
    {
        Directory.CreateDirectory(_folder);
        string path = Path.Combine(_folder, $"{target}-{Corpus.NameOf(input)}");
        File.WriteAllBytes(path, input);
        File.WriteAllText($"{path}.txt", fault.ToString());
        return $"fuzz: {target}: {fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}; again by: fuzz/run --replay {target} {path}";
    }

    public void Dispose()
    {
        _current.Dispose();
        _file.Dispose();
    }
}
