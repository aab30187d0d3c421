using System.Security.Cryptography;

namespace Vgpu.Fuzz;

/// <summary>The inputs of one target that are kept, each a file that is called by its hash.</summary>
public sealed class Corpus
{
    private readonly string _folder;
    private readonly Dictionary<string, byte[]> _inputs = [];

    /// <summary>Reads what the folder holds; it need not exist.</summary>
    public Corpus(string folder)
    {
        _folder = folder;
        if (Directory.Exists(folder))
        {
            foreach (string path in Directory.GetFiles(folder))
            {
                _inputs[Path.GetFileName(path)] = File.ReadAllBytes(path);
            }
        }
    }

    /// <summary>The inputs, shortest first, always in the same order.</summary>
    public IReadOnlyList<byte[]> Inputs => [.. _inputs.OrderBy(i => i.Value.Length).ThenBy(i => i.Key, StringComparer.Ordinal).Select(i => i.Value)];

    /// <summary>What a file with this content is called.</summary>
    public static string NameOf(ReadOnlySpan<byte> input) => Convert.ToHexStringLower(SHA256.HashData(input))[..16];

    internal void Add(byte[] input)
    {
        if (_inputs.TryAdd(NameOf(input), input))
        {
            Directory.CreateDirectory(_folder);
            File.WriteAllBytes(Path.Combine(_folder, NameOf(input)), input);
        }
    }

    internal void Remove(byte[] input)
    {
        _inputs.Remove(NameOf(input));
        File.Delete(Path.Combine(_folder, NameOf(input)));
    }
}
