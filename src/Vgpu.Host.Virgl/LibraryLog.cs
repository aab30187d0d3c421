using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Host.Virgl.Interop;
using Vgpu.Linux;

namespace Vgpu.Host.Virgl;

// What the library says, a few lines a minute: it says one for whatever a guest gets wrong. What it says while it starts is kept for
// the line that says why it did not.
internal sealed unsafe class LibraryLog(ILogger log)
{
    // VIRGL_LOG_LEVEL_WARNING of virglrenderer.h; below it are hints and chatter.
    private const int VIRGL_LOG_LEVEL_WARNING = 2;

    private static LibraryLog? s_current;

    private readonly LibraryLines _lines = new();
    private volatile bool _isStarted;

    /// <summary>The last line before <see cref="Started"/>.</summary>
    internal string? LastOfStart { get; private set; }

    /// <summary>Takes the library's lines from now on; null: they are dropped.</summary>
    internal static void Take(LibVirgl library, LibraryLog? log)
    {
        Volatile.Write(ref s_current, log);
        library.SetLog(&Hear, &HearUnformatted);
    }

    internal void Started() => _isStarted = true;

    internal void Write(ReadOnlySpan<byte> message)
    {
        if (!_isStarted)
        {
            LastOfStart = LibraryLines.Clean(message).Trim();
            return;
        }

        if (_lines.Take(message, Environment.TickCount64, out bool isLast) is string line)
        {
            log.LibrarySaid(line.Trim());
            if (isLast)
            {
                log.LibrarySaid(LibraryLines.LeftOut);
            }
        }
    }

    [UnmanagedCallersOnly]
    private static void Hear(int level, byte* message, nint context)
    {
        if (level >= VIRGL_LOG_LEVEL_WARNING && message is not null)
        {
            // Sound: the library gives a string with a zero behind it.
            Volatile.Read(ref s_current)?.Write(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message));
        }
    }

    [UnmanagedCallersOnly]
    private static void HearUnformatted(byte* format, nint arguments)
    {
        if (Volatile.Read(ref s_current) is { } log && format is not null)
        {
            byte* text = stackalloc byte[LibraryLines.MostCharacters + 1];

            // Sound: vsnprintf writes no more than it is told and always a zero.
            if (Libc.VSNPrintF(text, LibraryLines.MostCharacters + 1, format, arguments) > 0)
            {
                log.Write(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
            }
        }
    }
}
