using System.Net.Sockets;
using System.Text.Json;

namespace Vgpu.Qemu;

/// <summary>QEMU answered a QMP command with an error.</summary>
public sealed class QmpException(string command, string message) : IOException($"QMP {command}: {message}");

/// <summary>
/// QEMU's machine protocol (QEMU's docs/interop/qmp-spec.rst) over a Unix socket: one command at a time, events kept
/// until they are asked for. One thread at a time.
/// </summary>
public sealed class QmpClient : IDisposable
{
    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly NetworkStream _stream;
    private readonly List<JsonElement> _events = [];

    private QmpClient(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new StreamReader(_stream);
    }

    /// <summary>Connects and leaves the negotiation mode. Throws <see cref="SocketException"/> where nobody listens yet.</summary>
    public static QmpClient Connect(string path, TimeSpan timeout)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.ReceiveTimeout = socket.SendTimeout = (int)timeout.TotalMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var client = new QmpClient(socket);
        client.ReadMessage();
        client.Execute("qmp_capabilities");
        return client;
    }

    /// <summary>Runs a command and returns its result. Throws <see cref="QmpException"/>, or <see cref="IOException"/> when QEMU is gone.</summary>
    public JsonElement Execute(string command, IReadOnlyDictionary<string, object>? arguments = null)
    {
        var request = new Dictionary<string, object> { ["execute"] = command };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        _stream.Write([.. PlainJson.ToBytes(request), (byte)'\n']);
        while (true)
        {
            JsonElement message = ReadMessage();
            if (message.TryGetProperty("return", out JsonElement result))
            {
                return result;
            }

            if (message.TryGetProperty("error", out JsonElement error))
            {
                throw new QmpException(command, error.GetProperty("desc").GetString() ?? "unknown error");
            }

            _events.Add(message);
        }
    }

    /// <summary>Waits for an event by name that was not taken yet and takes it.</summary>
    /// <exception cref="IOException">QEMU is gone, or was silent for the connection's timeout.</exception>
    public JsonElement WaitForEvent(string name, Func<JsonElement, bool>? where = null)
    {
        int next = 0;
        while (true)
        {
            for (; next < _events.Count; next++)
            {
                JsonElement candidate = _events[next];
                if (candidate.GetProperty("event").ValueEquals(name) && (where is null || where(candidate.GetProperty("data"))))
                {
                    _events.RemoveAt(next);
                    return candidate;
                }
            }

            _events.Add(ReadMessage());
        }
    }

    /// <summary>Waits for the first event not taken yet that <paramref name="where"/> wants, and takes it. After a time-out the connection is of no more use.</summary>
    /// <exception cref="IOException">QEMU is gone.</exception>
    /// <exception cref="TimeoutException">It did not come within <paramref name="limit"/>.</exception>
    public JsonElement WaitForEvent(TimeSpan limit, Func<JsonElement, bool> where)
    {
        long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        for (int next = 0; ; next++)
        {
            if (next == _events.Count)
            {
                _socket.ReceiveTimeout = (int)Math.Max(1, deadline - Environment.TickCount64);
                try
                {
                    _events.Add(ReadMessage());
                }
                catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
                {
                    throw new TimeoutException("QEMU sent no such event in time", e);
                }
            }

            if (where(_events[next]))
            {
                JsonElement found = _events[next];
                _events.RemoveAt(next);
                return found;
            }
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
        _socket.Dispose();
    }

    private JsonElement ReadMessage()
    {
        string line = _reader.ReadLine() ?? throw new IOException("QEMU closed its QMP connection");
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
