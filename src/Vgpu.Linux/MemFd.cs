using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>Seals of a memory file (fcntl(2), F_ADD_SEALS).</summary>
[Flags]
public enum Seals
{
    /// <summary>No seal.</summary>
    None = 0,

    /// <summary>No more seals.</summary>
    F_SEAL_SEAL = 1,

    /// <summary>It never becomes shorter.</summary>
    F_SEAL_SHRINK = 2,

    /// <summary>It never becomes longer.</summary>
    F_SEAL_GROW = 4,

    /// <summary>Nobody writes to it.</summary>
    F_SEAL_WRITE = 8,

    /// <summary>Nobody writes to it but through the mappings that there are.</summary>
    F_SEAL_FUTURE_WRITE = 16,
}

/// <summary>Memory files: memfd_create(2) and their seals.</summary>
public static class MemFd
{
    /// <summary>
    /// A new memory file of <paramref name="size"/> bytes, zero-filled and without pages until they are touched.
    /// <paramref name="name"/> shows in /proc/PID/maps. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static FileDescriptor Create(string name, ulong size, Seals seals = Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW)
    {
        int fd = Libc.MemfdCreate(name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        if (fd < 0)
        {
            throw LinuxException.Last("memfd_create", name);
        }

        var file = new FileDescriptor(fd);
        try
        {
            file.Truncate(size);
            if (seals != Seals.None && !TryAddSeals(file, seals))
            {
                throw LinuxException.Last("fcntl(F_ADD_SEALS)", name);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds seals; false where the file can't be sealed (not a memfd, sealed against sealing, writable maps).</summary>
    public static bool TryAddSeals(FileDescriptor file, Seals seals) =>
        Libc.Fcntl(file.Number, Libc.F_ADD_SEALS, (nint)seals) == 0;

    /// <summary>The seals in force; <see cref="Seals.None"/> where the file has none or can have none.</summary>
    public static Seals GetSeals(FileDescriptor file)
    {
        int seals = Libc.Fcntl(file.Number, Libc.F_GET_SEALS, 0);
        return seals < 0 ? Seals.None : (Seals)seals;
    }
}
