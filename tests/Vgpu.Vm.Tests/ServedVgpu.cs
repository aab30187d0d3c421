using Microsoft.Extensions.Logging;
using Vgpu.Cli;
using Vgpu.Gpus;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Vendors.VirtioInput;

namespace Vgpu.Vm.Tests;

/// <summary>A vGPU served in this process at a socket in a folder of its own, with its log kept.</summary>
public sealed class ServedVgpu : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-test-");
    private readonly StringWriter _log = new();

    public ServedVgpu(string type, int width = 1024, int height = 768, int heads = 1, bool msix = false, bool withRom = false, bool guestBlobs = false, ulong videoMemory = 0, string? qmp = null, params IReadOnlyList<VirtioInputKind> input)
    {
        (_, VgpuType found) = DeviceTypes.Find(type);
        Server = new VgpuServer(Path.Combine(_folder.FullName, "vgpu.sock"), type, new VgpuOptions
        {
            Name = type,
            Mode = new DisplayMode(width, height),
            Heads = heads,
            VideoMemory = videoMemory == 0 ? found.DefaultVideoMemory : videoMemory,
            Msix = msix,
            GuestBlobs = guestBlobs,
            Rom = withRom ? File.ReadAllBytes(QemuInstallation.BochsRom) : default,
        }, new ConsoleLog(_log, LogLevel.Information), input, qmp);
    }

    public VgpuServer Server { get; }

    public Head Head => Server.Screen.Heads[0];

    public VgpuAttachment Attachment => new(Server.SocketPath);

    /// <summary>The vGPU and its input devices.</summary>
    public IEnumerable<VgpuAttachment> Attachments => Server.InputSockets.Select(device => new VgpuAttachment(device.SocketPath)).Prepend(Attachment);

    /// <summary>What the server has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>What the screen shows now; fails the test where that is nothing.</summary>
    public Picture Capture(int head = 0)
    {
        Picture? picture = Server.Screen.Heads[head].Capture(withCursor: false);
        Assert.NotNull(picture);
        return picture;
    }

    public void Dispose()
    {
        Server.Dispose();
        _folder.Delete(recursive: true);
    }
}
