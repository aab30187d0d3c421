using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Vgpu.Cli;
using Vgpu.Gpus;
using Vgpu.Qemu;

namespace Vgpu.Bench;

/// <summary>A guest on our virtio-gpu and on QEMU's own, in turn.</summary>
internal static partial class GuestBenchmark
{
    private const int Boots = 5;
    private const int Mebibytes = 512;
    private const int Frames = 300;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(180);

    internal static IEnumerable<Figure> Run()
    {
        List<(double Boot, double Frames, double Small)> ours = [];
        List<(double Boot, double Frames, double Small)> peers = [];
        for (int i = 0; i < Boots; i++)
        {
            ours.Add(MeasureOurs());
            peers.Add(Measure([.. VgpuAttachment.SharedMemory(Mebibytes), "-device", "virtio-gpu-pci,xres=1024,yres=768"]));
        }

        yield return Compare("guest boot to picture, s (less is better)", run => run.Boot);
        yield return Compare("full screens drawn by a guest program 1024x768, frames/s", run => run.Frames);
        yield return Compare("full screens drawn by a guest program 640x480, frames/s", run => run.Small);

        Figure Compare(string name, Func<(double Boot, double Frames, double Small), double> pick) =>
            new(name, Figure.Median(ours.Select(pick)), Figure.Median(peers.Select(pick)));
    }

    private static (double Boot, double Frames, double Small) MeasureOurs()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vgpu-bench-");
        try
        {
            (_, VgpuType type) = DeviceTypes.Find("virtio-gpu");
            var options = new VgpuOptions { Name = "bench", VideoMemory = type.DefaultVideoMemory };
            using var server = new VgpuServer(Path.Combine(folder.FullName, "bench.sock"), "virtio-gpu", options, new ConsoleLog(Console.Error, LogLevel.Warning));
            return Measure(VgpuAttachment.Arguments(Mebibytes, new VgpuAttachment(server.SocketPath)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The guest is ready once its driver has bound and its console is on the screen.
    private static (double Boot, double Frames, double Small) Measure(IEnumerable<string> arguments)
    {
        string initrd = Path.Combine(QemuInstallation.CacheFolder, "guest", "initrd-test.img");
        long begun = Stopwatch.GetTimestamp();
        using QemuMachine machine = QemuMachine.Start([.. arguments, .. GuestBoot.Arguments(initrd, "vgpu.shell")], s_timeout);
        using var shell = new GuestShell(machine);
        shell.WaitUntilReady(s_timeout);
        double boot = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        double frames = FramesPerSecond(shell, "1024x768");
        double small = FramesPerSecond(shell, "640x480");
        machine.Process.Kill();
        return (boot, frames, small);
    }

    private static double FramesPerSecond(GuestShell shell, string mode)
    {
        string output = shell.Run($"drmdraw --card 0 --mode {mode} --pattern checker --frames {Frames}", (int)s_timeout.TotalSeconds);
        Match match = FpsPattern().Match(output);
        return match.Success ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : throw new GuestException($"drmdraw printed no fps: {output}");
    }

    [GeneratedRegex(@"fps ([0-9.]+)")]
    private static partial Regex FpsPattern();
}
