using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vgpu.Linux;

namespace Vgpu.Bus;

/// <summary>
/// The bus as a tree of files in the layout of the kernel's mediated devices
/// (Documentation/driver-api/vfio-mediated-device.rst), so that shells and a stock mdevctl work on it: mdevctl takes the
/// mount as its root from <c>MDEVCTL_ENV_ROOT</c> (1.3 and newer). One tree a bus; made by <see cref="Mount"/>.
/// </summary>
public sealed class BusTree : IDisposable
{
    // Where a host keeps mdevctl's callouts and notifiers; the older place lies in its definitions' folder.
    private const string HostScripts = "/usr/lib/mdevctl/scripts.d";
    private const string OldHostScripts = "/etc/mdevctl.d/scripts.d";

    private readonly FuseMount _mount;

    private BusTree(FuseMount mount) => _mount = mount;

    /// <summary>Where it is mounted; absolute.</summary>
    public string Path => _mount.Path;

    /// <summary>
    /// Mounts the tree at <paramref name="path"/>. <paramref name="definitions"/> is the folder of the bus's definitions,
    /// where mdevctl writes its own; it is made where it is missing. The tree's owner is the daemon's user. What a write is
    /// refused for, beyond its errno, goes to <paramref name="logger"/>. Throws <see cref="FuseException"/>, whose message
    /// is for the operator: without the tree, all else works.
    /// </summary>
    public static BusTree Mount(IBus bus, string path, string definitions, ILogger? logger = null)
    {
        definitions = System.IO.Path.GetFullPath(definitions);
        LinkScripts(definitions);
        return new BusTree(FuseMount.Mount(path, Root(bus, definitions, logger ?? NullLogger.Instance)));
    }

    /// <summary>Unmounts it, also while files are open. Writes that are under way come to their end first.</summary>
    public void Dispose() => _mount.Dispose();

    private static FuseFolder Root(IBus bus, string definitions, ILogger logger)
    {
        var store = new TreeStore(bus, logger);
        var devices = new DeviceFolders(store);
        var parents = new ParentFolders(store, devices);
        var classes = new ClassFolders(store);
        return Folder(
            ("sys", Folder(
                ("bus", Folder(("mdev", Folder(
                    ("devices", devices.Links("../../../devices/virtual/vgpu")),
                    ("drivers", Folder(("vfio_vgpu", devices.Links("../../../../devices/virtual/vgpu")))))))),
                ("class", Folder(
                    ("mdev_bus", parents.Links()),
                    ("vgpu", classes.Vendors()))),
                ("devices", Folder(("virtual", Folder(("vgpu", parents.All()))))))),
            ("etc", Folder(("mdevctl.d", new FuseLink(definitions)))),
            ("usr", Folder(("lib", Folder(("mdevctl", Folder(("scripts.d", Scripts()))))))));
    }

    private static FuseFolder Folder(params (string Name, FuseNode Node)[] entries) =>
        new(entries.ToDictionary(entry => entry.Name, entry => entry.Node, StringComparer.Ordinal));

    // mdevctl wants both folders, whether the host has them or not.
    private static FuseFolder Scripts()
    {
        string[] names = ["callouts", "notifiers"];
        return new FuseFolder(() => names.Select(name => KeyValuePair.Create(name, Script(name))), name => names.Contains(name) ? Script(name) : null);
    }

    private static FuseNode Script(string name)
    {
        string host = System.IO.Path.Combine(HostScripts, name);
        return Directory.Exists(host) ? new FuseLink(host) : Folder();
    }

    private static void LinkScripts(string definitions)
    {
        string link = System.IO.Path.Combine(definitions, "scripts.d");
        try
        {
            Directory.CreateDirectory(definitions);
            if (new FileInfo(link).LinkTarget is null && !Directory.Exists(link))
            {
                File.CreateSymbolicLink(link, OldHostScripts);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FuseException($"the folder of definitions {definitions} can't be made ready for mdevctl: {e.Message}", e);
        }
    }
}
