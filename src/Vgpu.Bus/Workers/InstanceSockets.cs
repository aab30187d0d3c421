using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>The folder of an instance that runs, and the sockets in it: its owner's alone.</summary>
internal static class InstanceSockets
{
    private const int Backlog = 32;

    internal static InstancePaths Paths(string runFolder, Guid uuid)
    {
        string folder = Path.Combine(AllIn(runFolder), uuid.ToString("D"));
        string socket = Path.Combine(folder, "vfio-user.sock");
        return new InstancePaths(folder, socket, socket + ".screen");
    }

    /// <summary>Makes the folder and listens in it. Throws <see cref="BusException"/>, and nothing is left then.</summary>
    internal static (FileDescriptor Screen, IReadOnlyList<FileDescriptor> Functions) Listen(InstancePaths paths, InstanceOwner? owner)
    {
        List<UnixSocket> listeners = [];
        try
        {
            Directory.CreateDirectory(paths.Folder);
            FileOwner.Restrict(paths.Folder);
            foreach (string path in AllOf(paths))
            {
                File.Delete(path);
                listeners.Add(UnixSocket.Listen(path, Backlog));
            }

            Own(paths, owner);
            return (listeners[0].Descriptor, [.. listeners.Skip(1).Select(listener => listener.Descriptor)]);
        }
        catch (Exception e) when (e is IOException or LinuxException or UnauthorizedAccessException)
        {
            listeners.ForEach(listener => listener.Dispose());
            Remove(paths);
            throw Explain(paths, e);
        }
    }

    /// <summary>Gives the sockets and their folder to another owner. Throws <see cref="BusException"/>.</summary>
    internal static void Pass(InstancePaths paths, InstanceOwner? owner)
    {
        try
        {
            Own(paths, owner);
        }
        catch (LinuxException e)
        {
            throw Explain(paths, e);
        }
    }

    private static BusException Explain(InstancePaths paths, Exception e) => e switch
    {
        LinuxException { Errno: Errno.EMFILE or Errno.ENFILE } =>
            new BusException(BusError.Failed, "the daemon has no file descriptors left; raise its limit (LimitNOFILE) or stop vGPUs", e),
        LinuxException { Errno: Errno.EPERM } =>
            new BusException(BusError.Forbidden, $"can't give {paths.Folder} to another user; run the daemon as root, or leave the owner out", e),
        LinuxException { Errno: Errno.ENAMETOOLONG } =>
            new BusException(BusError.Failed, $"{paths.Screen} is too long for a Unix socket; give the daemon a shorter --run folder", e),
        LinuxException { Errno: Errno.ENOSPC } =>
            new BusException(BusError.Failed, $"no space left for {paths.Folder}; make room there", e),
        _ => new BusException(BusError.Failed, $"can't make the sockets in {paths.Folder}: {e.Message}", e),
    };

    private static void Own(InstancePaths paths, InstanceOwner? owner)
    {
        if (owner is { } user)
        {
            foreach (string path in AllOf(paths).Append(paths.Folder))
            {
                FileOwner.Set(path, user.Uid, user.Gid);
            }
        }
    }

    /// <summary>Takes away what a daemon has left of instances that nobody serves: it died after their end, or with their workers.</summary>
    internal static void RemoveLeftovers(string runFolder, Func<Guid, bool> isServed)
    {
        try
        {
            foreach (string folder in Directory.GetDirectories(AllIn(runFolder)))
            {
                if (Guid.TryParseExact(Path.GetFileName(folder), "D", out Guid uuid) && !isServed(uuid))
                {
                    Remove(Paths(runFolder, uuid));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is no such folder yet; one that can't be read is said so by the first start in it.
        }
    }

    // The screen's, then one a function.
    private static IEnumerable<string> AllOf(InstancePaths paths) =>
        InstanceFunctions.Names.Select(name => InstanceFunctions.SocketOf(paths.Socket, name)).Prepend(paths.Screen);

    private static string AllIn(string runFolder) => Path.Combine(runFolder, "instances");

    internal static void Remove(InstancePaths paths)
    {
        try
        {
            Directory.Delete(paths.Folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was never there, or the next start of the instance replaces what is in it.
        }
    }
}
