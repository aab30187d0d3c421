using System.Net;
using System.Net.Sockets;

namespace Vgpu.View;

/// <summary>Ports of loopback for VNC: display 0 is port 5900, and so on. One thread at a time.</summary>
internal static class VncPorts
{
    private const int First = 5900;
    private const int Last = 6899;

    /// <summary>Listens at the former address where that is free, else at the first that is; null: none is.</summary>
    /// <param name="former">HOST:PORT; null: there was none.</param>
    /// <param name="listen">Throws <see cref="SocketException"/> where the port is taken.</param>
    internal static IPEndPoint? Listen(string? former, Action<IPEndPoint> listen)
    {
        IEnumerable<int> ports = Enumerable.Range(First, Last - First + 1);
        if (former is not null && IPEndPoint.TryParse(former, out IPEndPoint? was) && was.Port is >= First and <= Last)
        {
            ports = ports.Prepend(was.Port);
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
