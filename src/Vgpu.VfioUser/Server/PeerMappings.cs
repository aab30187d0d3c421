using System.Globalization;

namespace Vgpu.VfioUser.Server;

/// <summary>How another process maps a file, by proc(5), /proc/PID/maps.</summary>
internal static class PeerMappings
{
    // RAM is among the mappings that a VMM makes first, and a client can make millions.
    private const int MaxLines = 65_536;

    /// <summary>
    /// Whether the process maps the file only privately, so that what it writes is seen by nobody else. False where its
    /// maps can't be read, or don't show the file at all.
    /// </summary>
    internal static bool ArePrivate(int pid, (ulong Device, ulong Inode) file)
    {
        bool isPrivate = false;
        try
        {
            foreach (string line in File.ReadLines($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/maps").Take(MaxLines))
            {
                if (TryParse(line, out bool isShared, out (ulong Device, ulong Inode) identity) && identity == file)
                {
                    if (isShared)
                    {
                        return false;
                    }

                    isPrivate = true;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        return isPrivate;
    }

    // ADDRESSES PERMISSIONS OFFSET MAJOR:MINOR INODE PATH: permissions end with s or p, the device is hexadecimal.
    private static bool TryParse(ReadOnlySpan<char> line, out bool isShared, out (ulong Device, ulong Inode) identity)
    {
        isShared = false;
        identity = default;
        Span<Range> fields = stackalloc Range[6];
        if (line.Split(fields, ' ', StringSplitOptions.RemoveEmptyEntries) < 5)
        {
            return false;
        }

        ReadOnlySpan<char> device = line[fields[3]];
        int colon = device.IndexOf(':');
        isShared = line[fields[1]].EndsWith("s", StringComparison.Ordinal);
        if (colon < 0
            || !uint.TryParse(device[..colon], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint major)
            || !uint.TryParse(device[(colon + 1)..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint minor)
            || !ulong.TryParse(line[fields[4]], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
        {
            return false;
        }

        identity = (((ulong)major << 32) | minor, inode);
        return true;
    }
}
