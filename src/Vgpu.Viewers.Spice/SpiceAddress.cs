using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Vgpu.Viewers.Spice;

/// <summary>Where clients connect: a TCP address and port, or the path of a Unix socket.</summary>
public sealed record SpiceAddress
{
    private SpiceAddress(IPEndPoint? tcp, string? path) => (Tcp, Path) = (tcp, path);

    /// <summary>Address and port, the port 1 to 65535; null: a Unix socket.</summary>
    public IPEndPoint? Tcp { get; }

    /// <summary>The socket's path, at most 107 bytes (unix(7)); null: TCP.</summary>
    public string? Path { get; }

    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLocal => Tcp is null || IPAddress.IsLoopback(Tcp.Address);

    /// <summary>A Unix socket, which its owner alone may connect to.</summary>
    public static SpiceAddress Unix(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SpiceAddress(null, path);
    }

    /// <summary>
    /// <c>127.0.0.1:5900</c>, <c>[::1]:5900</c>, <c>localhost:5900</c>, <c>unix:/run/desk.spice</c>, or a path that
    /// begins with a slash.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SpiceAddress? address)
    {
        const string UnixPrefix = "unix:";
        const string LocalPrefix = "localhost:";
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
        else
        {
            string numeric = text.StartsWith(LocalPrefix, StringComparison.Ordinal) ? "127.0.0.1:" + text[LocalPrefix.Length..] : text;
            address = IPEndPoint.TryParse(numeric, out IPEndPoint? tcp) && tcp.Port != 0 ? new SpiceAddress(tcp, null) : null;
        }

        return address is not null;
    }

    /// <summary>As a client is told it: <c>spice://127.0.0.1:5900</c> or <c>spice+unix:///run/desk.spice</c>.</summary>
    public string ToUri(bool isTls) =>
        Tcp is null ? "spice+unix://" + Path
        : isTls ? string.Create(CultureInfo.InvariantCulture, $"spice://{Host}?tls-port={Tcp.Port}")
        : string.Create(CultureInfo.InvariantCulture, $"spice://{Host}:{Tcp.Port}");

    private string Host => Tcp!.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{Tcp.Address}]" : Tcp.Address.ToString();
}
