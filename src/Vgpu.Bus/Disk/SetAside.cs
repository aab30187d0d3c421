using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Bus.Disk;

/// <summary>
/// STATE/set-aside: files that stood where definitions belong and are none, each with a <c>.reason</c> beside it. Nothing is
/// ever deleted here. One caller at a time.
/// </summary>
internal sealed class SetAside(string folder, EventLog events, ILogger log)
{
    private const int MaxName = 120;
    private readonly HashSet<string> _stuck = new(StringComparer.Ordinal);

    /// <summary>Moves <paramref name="path"/> (whatever it is) here, says so once, and never throws: what can't be moved stays where it is.</summary>
    internal void Move(string path, string reason)
    {
        reason = OneLine.Of(reason);
        try
        {
            Directory.CreateDirectory(folder);
            string target = Free(path);
            StoredFile.Rename(path, target);
            _stuck.Remove(path);
            Tell(path, $"{path} is set aside as {target}: {reason}");
            File.WriteAllText(target + ".reason", $"{path}: {reason}\n", Encoding.UTF8);
        }
        catch (Exception failure) when (DiskTrouble.Is(failure))
        {
            if (Path.Exists(path) && _stuck.Add(path))
            {
                Tell(path, $"{path} is left out: {reason}; and {DiskTrouble.Of("set aside", path, failure).Message}");
            }
        }
    }

    private void Tell(string path, string detail)
    {
        log.SetAside(detail);
        Guid? uuid = Guid.TryParseExact(Path.GetFileName(path), "D", out Guid known) ? known : null;
        events.Add("set-aside", uuid, null, detail);
    }

    // PARENT-FILE, and a number where that is taken.
    private string Free(string path)
    {
        string name = $"{Path.GetFileName(Path.GetDirectoryName(path))}-{Path.GetFileName(path)}";
        name = OneLine.Of(name.Length <= MaxName ? name : name[..MaxName]);
        string target = Path.Combine(folder, name);
        for (int number = 1; Path.Exists(target) || Path.Exists(target + ".reason"); number++)
        {
            target = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{number}"));
        }

        return target;
    }
}
