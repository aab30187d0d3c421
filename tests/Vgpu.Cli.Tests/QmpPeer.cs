using System.Net.Sockets;
using System.Text;

namespace Vgpu.Cli.Tests;

/// <summary>Something at a QMP socket that greets and answers as a test says; it keeps what it is told, over all connections.</summary>
internal sealed class QmpPeer : IDisposable
{
    internal const string Greeting = """{"QMP": {"version": {}, "capabilities": []}}""" + "\r\n";
    internal const string Done = """{"return": {}}""" + "\r\n";

    private readonly object _gate = new();
    private readonly List<string> _heard = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _greeting;
    private readonly Func<string, string?> _answer;
    private readonly Thread _thread;
    private Socket? _client;

    /// <param name="path">Where it listens.</param>
    /// <param name="greeting">The first that it says.</param>
    /// <param name="answer">What it says to a line; null: it hangs up.</param>
    internal QmpPeer(string path, string greeting = Greeting, Func<string, string?>? answer = null)
    {
        (_greeting, _answer) = (greeting, answer ?? (_ => Done));
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _thread = new Thread(Serve) { IsBackground = true, Name = "QMP peer" };
        _thread.Start();
    }

    /// <summary>The events of each <c>input-send-event</c>.</summary>
    internal IReadOnlyList<string> Heard
    {
        get
        {
            lock (_gate)
            {
                return [.. _heard];
            }
        }
    }

    /// <summary>Returns once it has heard so many.</summary>
    internal IReadOnlyList<string> WaitFor(int count)
    {
        lock (_gate)
        {
            while (_heard.Count < count)
            {
                Assert.True(Monitor.Wait(_gate, TimeSpan.FromSeconds(60)), $"it heard {string.Join('\n', _heard)}");
            }

            return [.. _heard];
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Volatile.Read(ref _client)?.Dispose();
        _thread.Join();
    }

    private void Serve()
    {
        while (true)
        {
            try
            {
                using Socket client = _listener.Accept();
                Volatile.Write(ref _client, client);
                Converse(client);
            }
            catch (IOException)
            {
                // That one is gone.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Converse(Socket client)
    {
        using var stream = new NetworkStream(client);
        using var reader = new StreamReader(stream);
        stream.Write(Encoding.UTF8.GetBytes(_greeting));
        while (reader.ReadLine() is string line)
        {
            if (line.Contains("input-send-event", StringComparison.Ordinal))
            {
                lock (_gate)
                {
                    _heard.Add(line[(line.IndexOf('[', StringComparison.Ordinal) + 1)..line.LastIndexOf(']')]);
                    Monitor.PulseAll(_gate);
                }
            }

            if (_answer(line) is not string answer)
            {
                return;
            }

            stream.Write(Encoding.UTF8.GetBytes(answer));
        }
    }
}
