using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Vgpu.Linux;
using Vgpu.Screens;

namespace Vgpu.Bench.Screens;

/// <summary>
/// TigerVNC's Xvnc with its own choices, and a client that paints on its root window out of shared memory. The client never
/// says CopyArea: no server is told more of a scene than which rectangle has changed.
/// </summary>
internal sealed class XvncScreen : IShownScreen
{
    private const int Bytes = Canvas.Width * Canvas.Height * 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-bench-");
    private readonly FileDescriptor _file = MemFd.Create("xvnc", Bytes);
    private readonly MemoryMapping _pixels;
    private readonly PeerProcess _process;
    private readonly XConnection _client;

    internal XvncScreen()
    {
        string vnc = Path.Combine(_folder.FullName, "vnc");
        int display = Enumerable.Range(70, 30).First(number => !File.Exists(Socket(number)) && !File.Exists(Lock(number)));
        string[] arguments =
        [
            Text($":{display}"), "-geometry", Text($"{Canvas.Width}x{Canvas.Height}"), "-depth", "24", "-nolisten", "tcp", "-noreset",
            "-SecurityTypes", "None", "-rfbport", "-1", "-rfbunixpath", vnc, "-AlwaysShared", "-ac",
        ];
        _process = new PeerProcess("Xtigervnc", arguments, [vnc, Socket(display)]);
        _client = new XConnection(Socket(display));
        _client.Attach(_file);
        _pixels = MemoryMapping.Share(_file, 0, Bytes, MemoryProtection.ReadWrite);
        Address = new UnixDomainSocketEndPoint(vnc);
        Processes = [_process.Pid];
    }

    public string Name => "Xvnc";

    public EndPoint Address { get; }

    public Span<uint> Pixels => MemoryMarshal.Cast<byte, uint>(_pixels.Span);

    public IReadOnlyList<int> Processes { get; }

    public void Show(params ReadOnlySpan<Rect> rects)
    {
        foreach (Rect rect in rects)
        {
            _client.Put(rect.X, rect.Y, rect.Width, rect.Height, Canvas.Width, Canvas.Height);
        }

        _client.Sync();
    }

    public int TakeKeys() => _client.TakePresses();

    public void Dispose()
    {
        _client.Dispose();
        _process.Dispose();
        _pixels.Dispose();
        _file.Dispose();
        _folder.Delete(recursive: true);
    }

    private static string Socket(int display) => Text($"/tmp/.X11-unix/X{display}");

    private static string Lock(int display) => Text($"/tmp/.X{display}-lock");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
