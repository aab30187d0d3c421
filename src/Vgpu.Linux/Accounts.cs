using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>The users and groups of this machine by name (getpwnam_r(3), getgrnam_r(3)), and whose this process is.</summary>
public static unsafe class Accounts
{
    private const int LargestEntry = 1 << 20;

    /// <summary>The user whose rights this process has (geteuid(2)).</summary>
    public static uint OwnUid => Libc.GetEUid();

    /// <summary>A user's number and the number of the user's own group; null where there is no such user.</summary>
    public static (uint Uid, uint Gid)? FindUser(string name)
    {
        for (int size = 1024; size <= LargestEntry; size *= 4)
        {
            // Sound: libc writes strings into the buffer, within its length, and the entry into this frame.
            fixed (byte* buffer = new byte[size])
            {
                Libc.Passwd entry;
                Libc.Passwd* found;
                if (Libc.GetPwNam(name, &entry, buffer, (nuint)size, &found) != (int)Errno.ERANGE)
                {
                    return found is null ? null : (entry.Uid, entry.Gid);
                }
            }
        }

        return null;
    }

    /// <summary>A group's number; null where there is no such group.</summary>
    public static uint? FindGroup(string name)
    {
        for (int size = 1024; size <= LargestEntry; size *= 4)
        {
            // Sound: as above.
            fixed (byte* buffer = new byte[size])
            {
                Libc.Group entry;
                Libc.Group* found;
                if (Libc.GetGrNam(name, &entry, buffer, (nuint)size, &found) != (int)Errno.ERANGE)
                {
                    return found is null ? null : entry.Gid;
                }
            }
        }

        return null;
    }
}
