using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// A file that one process at a time holds (flock(2)), with that process's number in it. The kernel lets go of it when the
/// process ends, however it ends; the file stays.
/// </summary>
public sealed unsafe class FileLock : IDisposable
{
    private readonly FileDescriptor _file;

    private FileLock(FileDescriptor file) => _file = file;

    /// <summary>
    /// Takes it, or returns null where another process has it; that one's number is then <paramref name="holder"/>, 0 where
    /// the file does not say. Throws <see cref="LinuxException"/>.
    /// </summary>
    public static FileLock? TryTake(string path, out int holder)
    {
        holder = 0;
        int fd = Libc.Open(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC, 0b110_000_000);
        var file = fd < 0 ? throw LinuxException.Last("open", path) : new FileDescriptor(fd);
        try
        {
            if (Libc.Flock(fd, Libc.LOCK_EX | Libc.LOCK_NB) == 0)
            {
                Sign(file, path);
                return new FileLock(file);
            }

            var errno = (Errno)Marshal.GetLastPInvokeError();
            holder = errno == Errno.EAGAIN ? Holder(file) : throw new LinuxException("flock", errno, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    /// <summary>The number of the process that took it last, whether it holds it still or not; 0 where nobody has. Throws <see cref="LinuxException"/>.</summary>
    public static int LastHolder(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var file = FileDescriptor.OpenRead(path);
        return Holder(file);
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose() => _file.Dispose();

    private static void Sign(FileDescriptor file, string path)
    {
        file.Truncate(0);
        byte[] line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
        // Sound: pinned for the call, which reads within the length given.
        fixed (byte* start = line)
        {
            if (Libc.Write(file.Number, start, (nuint)line.Length) != line.Length)
            {
                throw LinuxException.Last("write", path);
            }
        }
    }

    private static int Holder(FileDescriptor file)
    {
        byte* text = stackalloc byte[16];
        nint length = Libc.Read(file.Number, text, 16);
        var line = new ReadOnlySpan<byte>(text, (int)Math.Max(length, 0));
        return int.TryParse(line, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int pid) ? pid : 0;
    }
}
