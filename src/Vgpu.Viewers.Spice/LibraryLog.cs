using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

// What the library says, as lines of ours: it says a line or two for every stranger who knocks, so a few a minute are kept,
// cut and without control characters. For the life of the process.
internal sealed unsafe class LibraryLog
{
    internal const int MostLines = 10;
    internal const int MostCharacters = 300;
    private const long Minute = 60_000;

    // G_LOG_LEVEL_ERROR, CRITICAL and WARNING of gmessages.h; the rest is chatter.
    private const int Worth = (1 << 2) | (1 << 3) | (1 << 4);

    private static LibraryLog? s_current;

    private readonly Lock _lock = new();
    private readonly ILogger _log;
    private long _since = long.MinValue;
    private int _lines;

    internal LibraryLog(ILogger log) => _log = log;

    /// <summary>Takes the library's lines from now on. Any thread of the library.</summary>
    internal static void Take(ILogger log)
    {
        Volatile.Write(ref s_current, new LibraryLog(log));
        LibGlib.SetDefaultLogHandler(&Hear, 0);
    }

    internal void Write(ReadOnlySpan<byte> message, long now)
    {
        int left;
        lock (_lock)
        {
            if (_since == long.MinValue || now - _since >= Minute)
            {
                (_since, _lines) = (now, 0);
            }

            left = MostLines - ++_lines;
        }

        if (left >= 0)
        {
            _log.LibrarySaid(Clean(message));
        }

        if (left == 0)
        {
            _log.LibrarySaid("(more is left out for a minute)");
        }
    }

    private static string Clean(ReadOnlySpan<byte> message)
    {
        var text = new StringBuilder(Encoding.UTF8.GetString(message[..Math.Min(message.Length, MostCharacters)]));
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = char.IsControl(text[i]) ? ' ' : text[i];
        }

        return text.ToString();
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
