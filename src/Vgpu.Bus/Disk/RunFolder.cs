using Vgpu.Linux;

namespace Vgpu.Bus.Disk;

/// <summary>
/// RUN/instances/UUID.json: the definitions of those instances that run, each as it was started, so that the next daemon
/// knows them; a reboot empties it. Members for one UUID are for one caller at a time; they throw Failed.
/// </summary>
internal sealed class RunFolder(string run) : IDisposable
{
    private const string Extension = ".json";

    // Held while this process has the bus: flock(2), which a killed one lets go.
    private readonly string _lock = Path.Combine(run, "bus.lock");
    private FileStream? _held;
    private readonly string _folder = Path.Combine(run, "instances");

    /// <summary>Makes the folder, holds it against a second daemon, and takes leftovers away.</summary>
    internal void Open()
    {
        try
        {
            Directory.CreateDirectory(_folder);
            _held = new FileStream(_lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure.HResult == (int)Errno.EAGAIN)
        {
            throw new BusException(BusError.Failed, $"another daemon has {run}: stop that one, or give this one other folders", failure);
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            throw DiskTrouble.Of("make", _folder, failure);
        }

        foreach (string leftover in Directory.EnumerateFiles(_folder).Where(path => PreparedFile.IsTemporary(Path.GetFileName(path))).ToList())
        {
            PreparedFile.Discard(leftover);
        }
    }

    /// <summary>All files of instances that ran, and what they hold.</summary>
    internal IEnumerable<(string Path, Guid Uuid, DefinitionFile File)> Load()
    {
        foreach (string path in Directory.EnumerateFileSystemEntries(_folder, "*" + Extension).Order(StringComparer.Ordinal).ToList())
        {
            yield return Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "D", out Guid uuid)
                ? (path, uuid, DefinitionFolder.Read(path))
                : (path, Guid.Empty, new DefinitionFile.Broken("its name is no UUID", null));
        }
    }

    internal void Write(InstanceDefinition running)
    {
        using PreparedFile file = Prepare(running);
        file.Commit();
    }

    internal PreparedFile Prepare(InstanceDefinition running) => new(PathOf(running.Uuid), DefinitionJson.Write(running, withParent: true));

    internal void Remove(Guid uuid) => PreparedFile.Remove(PathOf(uuid));

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();

    private string PathOf(Guid uuid) => Path.Combine(_folder, uuid.ToString("D") + Extension);
}
