using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// Where clients connect: a TCP address and port, the path of a Unix socket, or to somebody else (<see cref="SpiceDoor"/>) who
/// hands their connections over.
/// </summary>
public sealed record SpiceAddress
{
    private SpiceAddress(IPEndPoint? tcp, string? path, int? handover) => (Tcp, Path, Handover) = (tcp, path, handover);

    /// <summary>TCP, with a port of 1 to 65535.</summary>
    public SpiceAddress(IPEndPoint tcp)
        : this(tcp, null, null)
    {
    }

    /// <summary>Address and port, the port 1 to 65535; null: no TCP.</summary>
    public IPEndPoint? Tcp { get; }

    /// <summary>The socket's path, at most 107 bytes (unix(7)); null: none.</summary>
    public string? Path { get; }

    /// <summary>The number of the inherited Unix socket by which connections are handed over; null: none are.</summary>
    public int? Handover { get; }

    /// <summary>Whether only this machine reaches it, as far as is known here.</summary>
    public bool IsLocal => Path is not null || (Tcp is not null && IPAddress.IsLoopback(Tcp.Address));

    /// <summary>A Unix socket, which its owner alone may connect to.</summary>
    public static SpiceAddress Unix(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SpiceAddress(null, path, null);
    }

    /// <summary>
    /// <c>127.0.0.1:5900</c>, <c>[::1]:5900</c>, <c>localhost:5900</c>, <c>unix:/run/desk.spice</c>, a path that begins
    /// with a slash, or <c>fd:20</c>.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SpiceAddress? address)
    {
        const string UnixPrefix = "unix:";
        const string LocalPrefix = "localhost:";
        const string HandoverPrefix = "fd:";
        address = null;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal) && text.Length > UnixPrefix.Length)
        {
            address = Unix(text[UnixPrefix.Length..]);
        }
        else if (text[0] == '/')
        {
            address = Unix(text);
        }
        else if (text.StartsWith(HandoverPrefix, StringComparison.Ordinal))
        {
            address = int.TryParse(text[HandoverPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? new SpiceAddress(null, null, number) : null;
        }
        else
        {
            string numeric = text.StartsWith(LocalPrefix, StringComparison.Ordinal) ? "127.0.0.1:" + text[LocalPrefix.Length..] : text;
            address = IPEndPoint.TryParse(numeric, out IPEndPoint? tcp) && tcp.Port != 0 ? new SpiceAddress(tcp) : null;
        }

        return address is not null;
    }

    /// <summary>As a client is told it: <c>spice://127.0.0.1:5900</c> or <c>spice+unix:///run/desk.spice</c>.</summary>
    public string ToUri(bool isTls) =>
        Handover is int number ? string.Create(CultureInfo.InvariantCulture, $"fd:{number}")
        : Tcp is null ? "spice+unix://" + Path
        : isTls ? string.Create(CultureInfo.InvariantCulture, $"spice://{Host}?tls-port={Tcp.Port}")
        : string.Create(CultureInfo.InvariantCulture, $"spice://{Host}:{Tcp.Port}");

    private string Host => Tcp!.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{Tcp.Address}]" : Tcp.Address.ToString();
}
