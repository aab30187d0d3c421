using System.Net.Sockets;
using System.Text.Json;

namespace Vgpu.Cli.Tests;

/// <summary>A QEMU's QMP with root ports by name and what is in each; its guest lets go when it is told to.</summary>
public sealed class FakeVm : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Thread _thread;
    private readonly Dictionary<string, string?> _ports;
    private readonly List<string> _devices = [];

    public FakeVm(string socket, Dictionary<string, string?> ports)
    {
        _ports = ports;
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen();
        _thread = new Thread(Serve) { IsBackground = true, Name = "fake QMP" };
        _thread.Start();
    }

    /// <summary>What follows a <c>device_del</c>: an event's name, or nothing.</summary>
    public string? AfterRemoval { get; init; } = "DEVICE_DELETED";

    /// <summary>The last <c>device_add</c>'s arguments.</summary>
    public string? Added => AllAdded.LastOrDefault();

    /// <summary>All <c>device_add</c>s' arguments.</summary>
    public List<string> AllAdded { get; } = [];

    /// <summary>The ids of all <c>device_del</c>s that there was such a device for.</summary>
    public List<string> Removed { get; } = [];

    public void Dispose()
    {
        _listener.Dispose();
        _thread.Join();
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                using var stream = new NetworkStream(_listener.Accept(), ownsSocket: true);
                using var reader = new StreamReader(stream);
                using var writer = new StreamWriter(stream) { AutoFlush = true, NewLine = "\r\n" };
                writer.WriteLine("""{"QMP": {"version": {}, "capabilities": []}}""");
                while (reader.ReadLine() is string line)
                {
                    Answer(JsonDocument.Parse(line).RootElement, writer);
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
        }
    }

    private void Answer(JsonElement request, StreamWriter writer)
    {
        string arguments = request.TryGetProperty("arguments", out JsonElement given) ? given.GetRawText() : "{}";
        switch (request.GetProperty("execute").GetString())
        {
            case "qom-list" when given.GetProperty("path").GetString() == "/machine/peripheral":
                Return("""{"name":"type","type":"string"},{"name":"net0","type":"child<virtio-net-pci>"},""" + string.Join(',', _ports.Keys.Select(port => $$"""{"name":"{{port}}","type":"child<pcie-root-port>"}""").Concat(_devices.Select(id => $$"""{"name":"{{id}}","type":"child<vfio-user-pci>"}"""))));
                break;
            case "qom-list":
                string? inside = _ports[given.GetProperty("path").GetString()!.Split('/')[^1]];
                Return("""{"name":"realized","type":"bool"}""" + (inside is null ? string.Empty : $$""",{"name":"child[0]","type":"link<{{inside}}>"}"""));
                break;
            case "device_add":
                AllAdded.Add(arguments);
                if (given.TryGetProperty("bus", out JsonElement bus) && _ports.ContainsKey(bus.GetString()!))
                {
                    _ports[bus.GetString()!] = "vfio-user-pci";
                }

                if (given.TryGetProperty("id", out JsonElement id))
                {
                    _devices.Add(id.GetString()!);
                }

                writer.WriteLine("""{"return": {}}""");
                break;
            case "device_del" when given.GetProperty("id").GetString() == "vgpu-absent":
                writer.WriteLine("""{"error": {"class": "DeviceNotFound", "desc": "Device 'vgpu-absent' not found"}}""");
                break;
            case "device_del":
                Removed.Add(given.GetProperty("id").GetString()!);
                writer.WriteLine("""{"return": {}}""");
                writer.WriteLine("""{"event": "DEVICE_DELETED", "data": {"path": "/machine/peripheral/other", "device": "other"}}""");
                if (AfterRemoval is not null)
                {
                    writer.WriteLine($$"""{"event": "{{AfterRemoval}}", "data": {"device": {{given.GetProperty("id").GetRawText()}}, "path": "/p"} }""");
                }

                break;
            default:
                writer.WriteLine("""{"return": {}}""");
                break;
        }

        void Return(string members) => writer.WriteLine($$"""{"return": [{{members.TrimEnd(',')}}]}""");
    }
}
