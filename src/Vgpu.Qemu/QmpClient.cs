using System.Net.Sockets;
using System.Text.Json;

namespace Vgpu.Qemu;

/// <summary>QEMU answered a QMP command with an error.</summary>
public sealed class QmpException(string command, string message) : IOException($"QMP {command}: {message}");

/// <summary>
/// QEMU's machine protocol (QEMU's docs/interop/qmp-spec.rst) over a Unix socket: one command at a time, events kept
/// until they are asked for. One thread at a time. Whoever answers is not trusted: a line of more than 1 MiB, one that is no
/// JSON object, and an answer that takes longer than the time-out are an <see cref="IOException"/>; of events the newest
/// 1024 are kept.
/// </summary>
public sealed class QmpClient : IDisposable
{
    private const int LongestLine = 1 << 20;
    private const int FirstBuffer = 4096;
    private const int MostEvents = 1024;

    private readonly Socket _socket;
    private readonly TimeSpan _timeout;
    private readonly List<JsonElement> _events = [];
    private byte[] _buffer = new byte[FirstBuffer];
    private int _start;
    private int _end;

    private QmpClient(Socket socket, TimeSpan timeout) => (_socket, _timeout) = (socket, timeout);

    /// <summary>
    /// Connects and leaves the negotiation mode. Throws <see cref="SocketException"/> where nobody listens yet, and
    /// <see cref="IOException"/> where what listens is no QMP, or does not answer within <paramref name="timeout"/>, which
    /// holds for each answer. Says nothing to who has not greeted.
    /// </summary>
    public static QmpClient Connect(string path, TimeSpan timeout)
    {
        var client = new QmpClient(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), timeout);
        try
        {
            client._socket.SendTimeout = (int)timeout.TotalMilliseconds;
            client._socket.Connect(new UnixDomainSocketEndPoint(path));
            if (!client.ReadMessage(client.Deadline).TryGetProperty("QMP", out _))
            {
                throw new IOException("what answers is no QMP");
            }

            client.Execute("qmp_capabilities");
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Runs a command and returns its result. Throws <see cref="QmpException"/>, or <see cref="IOException"/> when QEMU is gone.</summary>
    public JsonElement Execute(string command, IReadOnlyDictionary<string, object>? arguments = null)
    {
        var request = new Dictionary<string, object> { ["execute"] = command };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        Send([.. PlainJson.ToBytes(request), (byte)'\n']);
        long deadline = Deadline;
        while (true)
        {
            JsonElement message = ReadMessage(deadline);
            if (message.TryGetProperty("return", out JsonElement result))
            {
                return result;
            }

            if (message.TryGetProperty("error", out JsonElement error))
            {
                throw new QmpException(command, DescriptionOf(error));
            }

            Keep(message);
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
                if (candidate.GetProperty("event").ValueEquals(name) && (where is null || (candidate.TryGetProperty("data", out JsonElement data) && where(data))))
                {
                    _events.RemoveAt(next);
                    return candidate;
                }
            }

            next -= Keep(ReadMessage(Deadline));
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
            while (next >= _events.Count)
            {
                try
                {
                    next -= Keep(ReadMessage(deadline));
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

    /// <summary>Any thread: who waits for an answer is told that QEMU is gone.</summary>
    public void Dispose() => _socket.Dispose();

    private long Deadline => Environment.TickCount64 + (long)_timeout.TotalMilliseconds;

    // How many that came earlier went for it.
    private int Keep(JsonElement message)
    {
        if (!message.TryGetProperty("event", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            return 0;
        }

        _events.Add(message);
        if (_events.Count <= MostEvents)
        {
            return 0;
        }

        _events.RemoveAt(0);
        return 1;
    }

    private static string DescriptionOf(JsonElement error) =>
        error.ValueKind == JsonValueKind.Object && error.TryGetProperty("desc", out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : "unknown error";

    private void Send(ReadOnlySpan<byte> line)
    {
        try
        {
            while (!line.IsEmpty)
            {
                line = line[_socket.Send(line)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"QEMU takes no command ({e.Message})", e);
        }
    }

    private JsonElement ReadMessage(long deadline)
    {
        ReadOnlySpan<byte> line = ReadLine(deadline);
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new IOException("what answers is no QMP");
        }
        catch (JsonException e)
        {
            throw new IOException("what answers is no QMP", e);
        }
    }

    // Without its end; good until the next.
    private ReadOnlySpan<byte> ReadLine(long deadline)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan((_start + searched).._end).IndexOf((byte)'\n');
            if (found >= 0)
            {
                ReadOnlySpan<byte> line = _buffer.AsSpan(_start, searched + found);
                _start += line.Length + 1;
                return line;
            }

            searched = _end - _start;
            if (searched >= LongestLine)
            {
                throw new IOException("what answers is no QMP: it has no end of line");
            }

            MakeRoom();
            Receive(deadline);
        }
    }

    private void MakeRoom()
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }
    }

    private void Receive(long deadline)
    {
        try
        {
            long left = deadline - Environment.TickCount64;
            if (left <= 0)
            {
                throw new SocketException((int)SocketError.TimedOut);
            }

            _socket.ReceiveTimeout = (int)Math.Min(left, int.MaxValue);
            int count = _socket.Receive(_buffer.AsSpan(_end));
            _end += count > 0 ? count : throw new IOException("QEMU closed its QMP connection");
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"QEMU does not answer ({e.Message})", e);
        }
    }
}
