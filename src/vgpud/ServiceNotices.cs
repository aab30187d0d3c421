using System.Net.Sockets;
using System.Text;

namespace Vgpu.Daemon;

/// <summary>
/// What a service manager is told (sd_notify(3)): one datagram each to the socket that <c>$NOTIFY_SOCKET</c> names. Does
/// nothing where none is named.
/// </summary>
internal sealed class ServiceNotices
{
    private const string Variable = "NOTIFY_SOCKET";

    private readonly string? _path = Environment.GetEnvironmentVariable(Variable) is { Length: > 1 } path && path[0] is '/' or '@' ? path : null;

    /// <summary>Takes the variable out of the environment, as it is not meant for workers.</summary>
    internal ServiceNotices() => Environment.SetEnvironmentVariable(Variable, null);

    internal void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    internal void Stopping() => Send("STOPPING=1");

    private void Send(string text)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = 1000 };
            // An abstract name begins with a zero, which is written as '@'.
            _ = socket.SendTo(Encoding.UTF8.GetBytes(text), new UnixDomainSocketEndPoint(_path[0] == '@' ? '\0' + _path[1..] : _path));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // A manager that does not listen is told nothing; that is no reason to end.
        }
    }
}
