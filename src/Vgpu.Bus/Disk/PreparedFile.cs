using Vgpu.Linux;

namespace Vgpu.Bus.Disk;

/// <summary>
/// A file's next content, whole and on the disk beside it, not yet in its place: what can fail for want of space has then
/// happened. <see cref="Commit"/> puts it there; disposing without that leaves everything as it was. All throw Failed.
/// </summary>
internal sealed class PreparedFile : IDisposable
{
    private readonly string _path;
    private string? _temporary;

    /// <summary>Makes the folder too. One at a time for one path.</summary>
    internal PreparedFile(string path, ReadOnlySpan<byte> content)
    {
        _path = path;
        _temporary = TemporaryOf(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Delete(_temporary);
            using var file = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            Dispose();
            throw DiskTrouble.Of("write", path, failure);
        }
    }

    /// <summary>Leftovers of a process that died in between look so.</summary>
    internal static bool IsTemporary(string fileName) => fileName.StartsWith('.') && fileName.EndsWith(".vgpu-new", StringComparison.Ordinal);

    internal void Commit()
    {
        try
        {
            StoredFile.Rename(_temporary!, _path);
            _temporary = null;
            StoredFile.Sync(Path.GetDirectoryName(_path)!);
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            throw DiskTrouble.Of("write", _path, failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_temporary is not null)
        {
            Discard(_temporary);
            _temporary = null;
        }
    }

    /// <summary>Takes a leftover away where that can be done; where not, the next write there, or the next start, does.</summary>
    internal static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            // As said above: no harm done.
        }
    }

    /// <summary>Takes a file away for good; one that is not there is fine.</summary>
    internal static void Remove(string path)
    {
        try
        {
            string folder = Path.GetDirectoryName(path)!;
            if (Path.Exists(path))
            {
                File.Delete(path);
                StoredFile.Sync(folder);
            }
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            throw DiskTrouble.Of("remove", path, failure);
        }
    }

    private static string TemporaryOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.vgpu-new");
}
