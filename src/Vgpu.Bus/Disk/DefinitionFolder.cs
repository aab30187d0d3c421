using System.Text.Json;
using Vgpu.Linux;

namespace Vgpu.Bus.Disk;

/// <summary>
/// A folder of definitions by UUID, a folder for each parent in it, as mdevctl's /etc/mdevctl.d. Knows files, not instances.
/// Members for one UUID are for one caller at a time; they throw Failed.
/// </summary>
internal sealed class DefinitionFolder(string folder) : IDisposable
{
    // mdevctl's own; 1.2 does nothing in a folder without these.
    private const string Scripts = "scripts.d";
    private static readonly string[] s_scripts = [$"{Scripts}/callouts", $"{Scripts}/notifiers"];

    private FolderWatch? _watch;

    /// <summary>Makes the folders, takes away what a process that died in the middle of a write left, and watches from now on.</summary>
    internal void Open(IEnumerable<string> parents)
    {
        foreach (string path in parents.Concat(s_scripts).Prepend(string.Empty).Select(part => Path.Combine(folder, part)))
        {
            try
            {
                Directory.CreateDirectory(path);
            }
            catch (Exception failure) when (DiskTrouble.Is(failure) && Directory.Exists(folder))
            {
                // It can be read; who defines one of this parent hears of it.
            }
            catch (Exception failure) when (DiskTrouble.Is(failure))
            {
                throw DiskTrouble.Of("make", path, failure);
            }
        }

        try
        {
            _watch = new FolderWatch();
            _watch.Add(folder);
        }
        catch (LinuxException)
        {
            // Each question then looks at all files.
            _watch?.Dispose();
            _watch = null;
        }

        foreach (string leftover in All(_ => { }).Where(path => PreparedFile.IsTemporary(Path.GetFileName(path))))
        {
            PreparedFile.Discard(leftover);
        }
    }

    internal string PathOf(InstanceDefinition definition) => PathOf(definition.Parent, definition.Uuid);

    internal string PathOf(string parent, Guid uuid) => Path.Combine(folder, parent, uuid.ToString("D"));

    /// <summary>Exists, beside Failed: a file that nobody could read stands there, and stays.</summary>
    internal void WriteNew(InstanceDefinition definition)
    {
        string path = PathOf(definition);
        if (Path.Exists(path))
        {
            throw new BusException(BusError.Exists, $"{path} is there already: move it away, or take another UUID");
        }

        Write(definition);
    }

    internal void Write(InstanceDefinition definition)
    {
        using PreparedFile file = Prepare(definition);
        file.Commit();
    }

    internal PreparedFile Prepare(InstanceDefinition definition) => new(PathOf(definition), DefinitionJson.Write(definition));

    /// <summary>Paths that have changed since the last call; null: look at <see cref="All"/>.</summary>
    internal List<string>? Changes()
    {
        List<string> changed = [];
        return _watch is not null && _watch.Take(changed) && changed.TrueForAll(path => Path.GetDirectoryName(path) != folder)
            ? [.. changed.Distinct(StringComparer.Ordinal)]
            : null;
    }

    /// <summary>
    /// Every path where a definition belongs, whatever is there, in the order of parents and UUIDs; <paramref name="unread"/>
    /// hears, in a line each, of the folders of parents that can't be read.
    /// </summary>
    internal List<string> All(Action<string> unread)
    {
        List<string> paths = [];
        try
        {
            Watch(folder);
            foreach (string parent in ParentFolders())
            {
                try
                {
                    Watch(parent);
                    paths.AddRange(Directory.EnumerateFileSystemEntries(parent).Order(StringComparer.Ordinal));
                }
                catch (Exception failure) when (DiskTrouble.Is(failure))
                {
                    unread(DiskTrouble.Of("read", parent, failure).Message);
                }
            }

            return paths;
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            throw DiskTrouble.Of("read", folder, failure);
        }
    }

    /// <summary>What is at a path.</summary>
    internal static DefinitionFile Read(string path)
    {
        try
        {
            byte[]? content = StoredFile.TryRead(path, DefinitionJson.MaxLength);
            return content is null
                ? new DefinitionFile.Broken($"it is no plain file of at most {DefinitionJson.MaxLength >> 10} KiB", null)
                : Parse(content);
        }
        catch (LinuxException failure) when (failure.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return new DefinitionFile.Missing();
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            return new DefinitionFile.Unreadable(DiskTrouble.Of("read", path, failure).Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watch?.Dispose();

    private static DefinitionFile Parse(byte[] content)
    {
        try
        {
            return new DefinitionFile.Whole(DefinitionJson.Read(content));
        }
        catch (JsonException failure)
        {
            // mdevctl writes in place: this may be a file in the middle of its writing.
            return new DefinitionFile.Broken($"it is no JSON: {failure.Message}", content);
        }
        catch (Exception failure) when (failure is FormatException or BusException or InvalidOperationException)
        {
            // InvalidOperation: a string of JSON that is no text, such as half of a surrogate pair.
            return new DefinitionFile.Broken(failure.Message, null);
        }
    }

    private List<string> ParentFolders() =>
        [.. Directory.EnumerateDirectories(folder).Where(path => Path.GetFileName(path) is var name && name != Scripts && !name.StartsWith('.')).Order(StringComparer.Ordinal)];

    private void Watch(string parent)
    {
        try
        {
            _watch?.Add(parent);
        }
        catch (LinuxException)
        {
            _watch?.Dispose();
            _watch = null;
        }
    }
}

/// <summary>What a path in the folder holds.</summary>
internal abstract record DefinitionFile
{
    internal sealed record Missing : DefinitionFile;

    internal sealed record Whole(StoredDefinition Definition) : DefinitionFile;

    /// <summary>Something else. <paramref name="Unfinished"/>: what it holds, where that may be the beginning of a definition.</summary>
    internal sealed record Broken(string Reason, byte[]? Unfinished) : DefinitionFile;

    /// <summary>There, and it can't be told what it is.</summary>
    internal sealed record Unreadable(string Reason) : DefinitionFile;
}
