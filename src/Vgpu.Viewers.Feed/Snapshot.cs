using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

// A picture in a memory file of its own that nobody can change any more.
internal sealed class Snapshot : IDisposable
{
    private const Seals Sealed = Seals.F_SEAL_SHRINK | Seals.F_SEAL_GROW | Seals.F_SEAL_WRITE | Seals.F_SEAL_SEAL;

    // A guest may change its mode between the look at the size and the copy.
    private const int Attempts = 8;

    private Snapshot(FileDescriptor file, in FeedSnapshot description)
    {
        File = file;
        Description = description;
    }

    internal FileDescriptor File { get; }

    internal FeedSnapshot Description { get; }

    /// <summary>Null with ENXIO where nothing is shown, EAGAIN where the mode would not stay. Throws <see cref="LinuxException"/>.</summary>
    internal static Snapshot? Take(Head head, bool withCursor, out Errno error)
    {
        for (int i = 0; i < Attempts; i++)
        {
            HeadState state = head.State;
            if (state.Width == 0)
            {
                error = Errno.ENXIO;
                return null;
            }

            ulong length = (ulong)state.Width * (ulong)state.Height * Surface.BytesPerPixel;
            FileDescriptor file = MemFd.Create("vgpu-snapshot", length, Seals.None);
            try
            {
                if (TryFill(file, length, head, withCursor, out int width, out int height))
                {
                    error = Errno.None;
                    return new Snapshot(file, Describe(width, height, length, state.Generation));
                }
            }
            catch
            {
                file.Dispose();
                throw;
            }

            file.Dispose();
        }

        error = Errno.EAGAIN;
        return null;
    }

    public void Dispose() => File.Dispose();

    // A file of bytes that nobody can change any more. Throws LinuxException.
    internal static FileDescriptor Freeze(string name, ReadOnlySpan<byte> bytes)
    {
        FileDescriptor file = MemFd.Create(name, (ulong)bytes.Length, Seals.None);
        try
        {
            using (var mapping = MemoryMapping.Share(file, 0, (ulong)bytes.Length, MemoryProtection.ReadWrite))
            {
                bytes.CopyTo(mapping.Span);
            }

            Seal(file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static void Seal(FileDescriptor file)
    {
        if (!MemFd.TryAddSeals(file, Sealed))
        {
            throw new LinuxException("fcntl(F_ADD_SEALS)", Errno.EBUSY);
        }
    }

    private static bool TryFill(FileDescriptor file, ulong length, Head head, bool withCursor, out int width, out int height)
    {
        using (var mapping = MemoryMapping.Share(file, 0, length, MemoryProtection.ReadWrite))
        {
            if (!head.TryCapture(withCursor, mapping.Span, out width, out height))
            {
                return false;
            }
        }

        Seal(file);
        return true;
    }

    private static FeedSnapshot Describe(int width, int height, ulong length, ulong generation) => new()
    {
        Width = (uint)width,
        Height = (uint)height,
        Stride = (uint)width * Surface.BytesPerPixel,
        Format = (uint)PixelFormat.B8G8R8X8,
        Length = length,
        Generation = generation,
        Ticket = FeedSubscription.NewTicket(),
    };
}
