using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// What the library says, a few lines a minute: it says a line or two for every stranger who knocks. For the life of the process.
internal sealed unsafe class LibraryLog
{
    // G_LOG_LEVEL_ERROR, CRITICAL and WARNING of gmessages.h; the rest is chatter.
    private const int Worth = (1 << 2) | (1 << 3) | (1 << 4);

    private static LibraryLog? s_current;

    private readonly LibraryLines _lines = new();
    private readonly ILogger _log;

    internal LibraryLog(ILogger log) => _log = log;

    /// <summary>Takes the library's lines from now on. Any thread of the library.</summary>
    internal static void Take(ILogger log)
    {
        Volatile.Write(ref s_current, new LibraryLog(log));
        LibGlib.SetDefaultLogHandler(&Hear, 0);
    }

    internal void Write(ReadOnlySpan<byte> message, long now)
    {
        if (_lines.Take(message, now, out bool isLast) is string line)
        {
            _log.LibrarySaid(line);
            if (isLast)
            {
                _log.LibrarySaid(LibraryLines.LeftOut);
            }
        }
    }

    [UnmanagedCallersOnly]
    private static void Hear(byte* domain, int level, byte* message, nint context)
    {
        if ((level & Worth) != 0 && message is not null)
        {
            // Sound: GLib gives a string with a zero behind it.
            s_current!.Write(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message), Environment.TickCount64);
        }
    }
}
