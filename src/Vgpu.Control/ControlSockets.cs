using Vgpu.Api;
using Vgpu.Linux;

namespace Vgpu.Control;

/// <summary>The two sockets that the control API is served on, listening. Dispose closes them, and removes those that were made here.</summary>
public sealed class ControlSockets : IDisposable
{
    /// <summary>The group whose members may ask for everything.</summary>
    public const string Group = "vgpu";

    private const int Backlog = 64;
    private const UnixFileMode OfGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private const UnixFileMode OfAll = OfGroup | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Takes sockets over that listen already, as a service manager gives them.</summary>
    public ControlSockets(UnixSocket readWrite, UnixSocket readOnly)
    {
        ReadWrite = readWrite;
        ReadOnly = readOnly;
    }

    internal UnixSocket ReadWrite { get; }

    internal UnixSocket ReadOnly { get; }

    /// <summary>
    /// Listens in a folder: <c>vgpud.sock</c>, for the group vgpu where there is one and root makes it, else for this user
    /// alone; and <c>vgpud-ro.sock</c> for everybody who gets into the folder. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static ControlSockets Listen(string folder)
    {
        UnixSocket readWrite = Listen(Path.Combine(folder, DaemonPaths.Socket), OwnMode);
        try
        {
            return new ControlSockets(readWrite, Listen(Path.Combine(folder, DaemonPaths.ReadOnlySocket), path => File.SetUnixFileMode(path, OfAll)));
        }
        catch
        {
            readWrite.Unlink();
            readWrite.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (UnixSocket socket in (UnixSocket[])[ReadWrite, ReadOnly])
        {
            socket.Unlink();
            socket.Dispose();
        }
    }

    private static void OwnMode(string path)
    {
        if (Accounts.OwnUid == 0 && Accounts.FindGroup(Group) is uint group)
        {
            FileOwner.Set(path, 0, group);
            File.SetUnixFileMode(path, OfGroup);
        }
    }

    private static UnixSocket Listen(string path, Action<string> open)
    {
        var socket = UnixSocket.Listen(path, Backlog);
        try
        {
            open(path);
            return socket;
        }
        catch
        {
            socket.Unlink();
            socket.Dispose();
            throw;
        }
    }
}
