using System.Runtime.InteropServices;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>The process at the other end of a socket when it connected (SO_PEERCRED).</summary>
public readonly record struct PeerCredentials(int Pid, uint Uid, uint Gid);

/// <summary>Who is at the other end of a connected AF_UNIX socket, of whatever class (unix(7)).</summary>
public static unsafe class SocketPeer
{
    // NGROUPS_MAX of linux/limits.h.
    private const int MostGroups = 65_536;

    /// <summary>Who connected. Throws <see cref="LinuxException"/>.</summary>
    public static PeerCredentials Of(SafeHandle socket)
    {
        Libc.UCred credentials;
        uint length = (uint)sizeof(Libc.UCred);
        return Option(socket, Libc.SO_PEERCRED, &credentials, &length) < 0
            ? throw LinuxException.Last("getsockopt")
            : new PeerCredentials(credentials.Pid, credentials.Uid, credentials.Gid);
    }

    /// <summary>The supplementary groups that it had when it connected (SO_PEERGROUPS). Throws <see cref="LinuxException"/>.</summary>
    public static uint[] GroupsOf(SafeHandle socket)
    {
        const int Few = 64;
        uint* few = stackalloc uint[Few];
        uint length = Few * sizeof(uint);
        if (Option(socket, Libc.SO_PEERGROUPS, few, &length) == 0)
        {
            return new ReadOnlySpan<uint>(few, (int)(length / sizeof(uint))).ToArray();
        }

        // ERANGE: the kernel says how many bytes there are.
        uint[] many = new uint[Math.Min(length / sizeof(uint), MostGroups)];
        // Sound: pinned for the call, and the kernel writes within the length given.
        fixed (uint* start = many)
        {
            return Option(socket, Libc.SO_PEERGROUPS, start, &length) < 0 ? throw LinuxException.Last("getsockopt") : many;
        }
    }

    private static int Option(SafeHandle socket, int option, void* value, uint* length)
    {
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            return Libc.GetSockOpt((int)socket.DangerousGetHandle(), Libc.SOL_SOCKET, option, value, length);
        }
        finally
        {
            if (held)
            {
                socket.DangerousRelease();
            }
        }
    }
}
