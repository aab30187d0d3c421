using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>A stock QEMU with the test guest, and its shell.</summary>
public sealed class TestMachine : IDisposable
{
    private const int Mebibytes = 512;

    private TestMachine(QemuMachine qemu)
    {
        Qemu = qemu;
        Shell = new GuestShell(qemu);
    }

    public QemuMachine Qemu { get; }

    public GuestShell Shell { get; }

    /// <summary>The guest's image with the test programs.</summary>
    public static string Initrd { get; } = Path.Combine(QemuInstallation.CacheFolder, "guest", "initrd-test.img");

    /// <summary>The same with Debian's Mesa, and programs that draw.</summary>
    public static string InitrdWithMesa { get; } = Path.Combine(QemuInstallation.CacheFolder, "guest", "initrd-gl.img");

    /// <summary>A VM on these vGPUs whose guest takes commands.</summary>
    public static TestMachine Boot(params IEnumerable<VgpuAttachment> attachments) =>
        BootWith(VgpuAttachment.Arguments(Mebibytes, attachments));

    /// <summary>A VM with these devices instead, for example QEMU's own.</summary>
    public static TestMachine BootWithDevices(params IEnumerable<string> devices) =>
        BootWith([.. VgpuAttachment.SharedMemory(Mebibytes), .. devices.SelectMany(device => (string[])["-device", device])]);

    /// <summary>A VM with these arguments beside the guest's own.</summary>
    public static TestMachine BootWith(IEnumerable<string> arguments, string commandLine = "vgpu.shell", string? initrd = null)
    {
        TestMachine machine = Start([.. arguments, .. GuestBoot.Arguments(initrd ?? Initrd, commandLine)]);
        try
        {
            machine.Shell.WaitUntilReady(TimeSpan.FromSeconds(120));
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>A QEMU with just these arguments, its guest whatever they say.</summary>
    public static TestMachine Start(IEnumerable<string> arguments) =>
        new(QemuMachine.Start(arguments, TimeSpan.FromSeconds(60)));

    /// <summary>What QEMU's own display device shows, through QMP's screendump.</summary>
    public Picture Screendump(string? device = null, int head = 0)
    {
        string file = Path.GetTempFileName();
        try
        {
            var arguments = new Dictionary<string, object> { ["filename"] = file };
            if (device is not null)
            {
                arguments["device"] = device;
                arguments["head"] = head;
            }

            Qemu.Qmp.Execute("screendump", arguments);
            return Ppm.Read(File.ReadAllBytes(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Returns once QEMU's own display device shows this picture: its guest does not wait for it either.</summary>
    public void WaitUntilDumped(Picture expected)
    {
        long deadline = Environment.TickCount64 + 30_000;
        while (!PictureAssert.AreSame(expected, Screendump()) && Environment.TickCount64 < deadline)
        {
        }
    }

    public void Dispose()
    {
        Qemu.Dispose();
        Shell.Dispose();
    }
}
