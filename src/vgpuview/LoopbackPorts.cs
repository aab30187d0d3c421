using System.Net;
using System.Net.Sockets;

namespace Vgpu.View;

/// <summary>Ports of loopback that screens are shown at, each found again by the next viewers' process. One thread at a time.</summary>
/// <param name="first">The first that is tried.</param>
/// <param name="last">The last.</param>
internal sealed class LoopbackPorts(int first, int last)
{
    /// <summary>VNC's: display 0 is port 5900, and so on.</summary>
    internal static LoopbackPorts Vnc { get; } = new(5900, 6899);

    /// <summary>SPICE's, which has none of its own.</summary>
    internal static LoopbackPorts Spice { get; } = new(7000, 7999);

    /// <summary>Listens at the former address where that is free, else at the first that is; null: none is.</summary>
    /// <param name="former">Null: there was none.</param>
    /// <param name="listen">Throws <see cref="SocketException"/> where the port is taken.</param>
    internal IPEndPoint? Listen(IPEndPoint? former, Action<IPEndPoint> listen)
    {
        IEnumerable<int> ports = Enumerable.Range(first, last - first + 1);
        if (former is not null && former.Port >= first && former.Port <= last)
        {
            ports = ports.Prepend(former.Port);
        }

        foreach (int port in ports)
        {
            var address = new IPEndPoint(IPAddress.Loopback, port);
            try
            {
                listen(address);
                return address;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }

        return null;
    }
}
