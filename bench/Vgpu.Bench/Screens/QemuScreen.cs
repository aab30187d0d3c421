using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Vgpu.Qemu;
using Vgpu.Testing;

namespace Vgpu.Bench.Screens;

/// <summary>
/// QEMU's own virtio-gpu, keyboard and VNC server in stock QEMU, whose processor stands still: what a guest does is done here, in
/// its memory and at its registers. The VNC server may be lossy, as then it uses JPEG; what else it may choose it does.
/// </summary>
internal sealed class QemuScreen : VirtioScreen
{
    private const int GpuSlot = 4;
    private const int KeyboardSlot = 5;
    private const ulong GpuWindow = 0xe000_0000;
    private const ulong KeyboardWindow = 0xe800_0000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-bench-");
    private readonly PeerProcess _process;
    private readonly QtestConnection _machine;

    internal QemuScreen()
    {
        string qtest = Path.Combine(_folder.FullName, "qtest");
        string vnc = Path.Combine(_folder.FullName, "vnc");
        string[] arguments =
        [
            "-nodefaults", "-display", "none", "-machine", "q35", "-accel", "qtest", "-m", Text($"{(FakeGuest.SecondPiece) >> 20}M"),
            // The shared file is where the driver's memory is, above a gibibyte that nobody touches.
            "-object", Text($"memory-backend-ram,id=low,size={FakeGuest.Base >> 20}M"), "-numa", "node,nodeid=0,memdev=low",
            "-object", Text($"memory-backend-file,id=shared,mem-path=/proc/{Environment.ProcessId}/fd/{Guest.File.Number},size={FakeGuest.PieceSize >> 20}M,share=on"),
            "-numa", "node,nodeid=1,memdev=shared",
            "-qtest", $"unix:{qtest},server=on,wait=off", "-qtest-log", "/dev/null",
            "-device", Text($"virtio-gpu-pci,addr={GpuSlot},xres={Canvas.Width},yres={Canvas.Height}"),
            "-device", Text($"virtio-keyboard-pci,addr={KeyboardSlot}"),
            // Its pause between two keys would never end: it is of the clock that a processor which stands still does not move.
            "-vnc", $"unix:{vnc},lossy=on,key-delay-ms=0",
        ];
        _process = new PeerProcess(QemuInstallation.Executable, arguments, [qtest, vnc]);
        _machine = new QtestConnection(qtest);
        Plug(new QtestDevice(_machine, GpuSlot, GpuWindow), new QtestDevice(_machine, KeyboardSlot, KeyboardWindow));
        Address = new UnixDomainSocketEndPoint(vnc);
        Processes = [_process.Pid];
    }

    public override string Name => "QEMU";

    public override EndPoint Address { get; }

    public override IReadOnlyList<int> Processes { get; }

    protected override void Unplugged()
    {
        _machine.Dispose();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
