using Vgpu.Bench.Screens;
using Vgpu.Qemu;
using Vgpu.Testing;

namespace Vgpu.Bench.Acceleration;

/// <summary>Where a rendering guest runs: on a server of ours, or on QEMU's own device.</summary>
internal static class RenderingHosts
{
    private const int Mebibytes = 1536;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(300);

    /// <summary>Runs <paramref name="measure"/> with a guest on ours.</summary>
    internal static void OnOurs(string image, Action<RenderingGuest> measure)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vgpu-bench-");
        try
        {
            string socket = Path.Combine(folder.FullName, "gpu.sock");
            string home = Environment.GetEnvironmentVariable("VGPU_HOME") ?? throw new BenchmarkException("run it by ./bench/run");
            (string program, IReadOnlyList<string> arguments) = OpenGlTree.Command(
                Path.Combine(home, "artifacts/vgpu/vgpu.dll"), "serve", "--device", "virtio-gpu-gl", "--socket", socket);
            using var server = new PeerProcess(program, arguments, [socket], OpenGlTree.SearchPaths);
            using var guest = new RenderingGuest(
                boot => QemuMachine.Start(OpenGlTree.Qemu, [.. VgpuAttachment.Arguments(Mebibytes, new VgpuAttachment(socket)), .. boot], "none", s_timeout), image);
            measure(guest);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The same on QEMU's, which shows it on an X server.</summary>
    internal static void OnPeer(string image, Action<RenderingGuest> measure)
    {
        using var display = new XDisplay(1280, 1024);
        using var guest = new RenderingGuest(
            boot => QemuMachine.Start(
                OpenGlTree.Qemu,
                [.. VgpuAttachment.SharedMemory(Mebibytes), "-device", "virtio-gpu-gl-pci,xres=1024,yres=768", .. boot],
                "sdl,gl=on",
                s_timeout,
                [("DISPLAY", display.Name), ("LIBGL_ALWAYS_SOFTWARE", "1")]),
            image);
        measure(guest);
    }
}
