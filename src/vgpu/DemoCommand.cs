using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Viewers.Png;

namespace Vgpu.Cli;

/// <summary><c>vgpu demo</c>: a stock Debian kernel in stock QEMU, on a vGPU served here.</summary>
internal static class DemoCommand
{
    private const int GuestMebibytes = 1024;

    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "demo",
            "Boot a stock Debian kernel in stock QEMU on a vGPU made for it, and save what it shows",
            "vgpu demo",
            "vgpu demo --headless --shot demo.png --device bochs");
        var device = new DeviceOptions(command);
        var headless = new Option<bool>("--headless") { Description = "End once the guest has drawn and the picture is saved" };
        var shot = new Option<string>("--shot") { Description = "Where to save the picture", DefaultValueFactory = _ => "vgpu-demo.png", HelpName = "FILE.png" };
        var timeout = new Option<int>("--timeout") { Description = "Give the guest this many seconds to draw", DefaultValueFactory = _ => 180, HelpName = "SECONDS" };
        foreach (Option option in (Option[])[headless, shot, timeout])
        {
            command.Add(option);
        }

        command.SetAction(parsed => Run(
            device.Type(parsed),
            device.Options(parsed, "demo"),
            parsed.GetValue(headless),
            PicturePath.Resolve(parsed.GetValue(shot)!),
            TimeSpan.FromSeconds(parsed.GetValue(timeout) is > 0 and int seconds ? seconds : throw new OperatorException("--timeout is a number of seconds, at least 1"))));
        return command;
    }

    private static int Run(string type, VgpuOptions options, bool headless, string shot, TimeSpan timeout)
    {
        if (Requirement.Probe().FirstOrDefault(requirement => requirement.IsRequired && requirement.Found is null) is Requirement missing)
        {
            throw new IOException($"{missing.Name} is missing; mend it with: {missing.Mend}");
        }

        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("vgpu-demo-");
        try
        {
            string socket = Path.Combine(folder.FullName, "demo.sock");
            using var server = new VgpuServer(socket, type, options, new ConsoleLog(Console.Error, LogLevel.Warning));
            Console.WriteLine($"vgpu: {server.Type.Name} at {socket}");
            IEnumerable<string> arguments = [.. VgpuAttachment.Arguments(GuestMebibytes, new VgpuAttachment(socket)), .. GuestBoot.Arguments(QemuInstallation.GuestInitrd)];
            using QemuMachine machine = QemuMachine.Start(arguments, TimeSpan.FromSeconds(30));
            Console.WriteLine($"vgpu: booting Debian's kernel in QEMU ({QemuInstallation.Accelerator})");
            Picture picture = WaitForPicture(machine, server.Screen.Heads[0], ended, timeout);
            PngFile.Write(shot, picture);
            Console.WriteLine($"vgpu: the guest has drawn; the picture is {shot} ({picture.Width}x{picture.Height})");
            if (!headless)
            {
                Console.WriteLine($"vgpu: the VM goes on until Ctrl-C; take more pictures with: vgpu shot {ShellWords.Quote(socket)} FILE.png");
                WaitForEnd(machine, ended);
            }

            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.Set();
        }
    }

    private static Picture WaitForPicture(QemuMachine machine, Head head, ManualResetEventSlim ended, TimeSpan timeout)
    {
        var clock = Stopwatch.StartNew();
        using var ready = new ManualResetEventSlim();
        var reader = new Thread(() => Follow(machine, ready)) { Name = "guest serial", IsBackground = true };
        reader.Start();
        long said = 0;
        while (!ready.Wait(TimeSpan.FromMilliseconds(200)))
        {
            if (ended.IsSet || machine.Process.HasExited || clock.Elapsed > timeout)
            {
                throw new IOException(
                    ended.IsSet ? "stopped before the guest had drawn"
                    : machine.Process.HasExited ? $"QEMU ended: {machine.Errors}"
                    : $"the guest has not drawn after {timeout.TotalSeconds:0} s; give it more with --timeout");
            }

            if (clock.ElapsedMilliseconds / 5000 > said)
            {
                said = clock.ElapsedMilliseconds / 5000;
                Console.WriteLine($"vgpu: booting, {clock.Elapsed.TotalSeconds:0} s");
            }
        }

        using var quiet = new QuietHead(head);
        quiet.Wait(TimeSpan.FromMilliseconds(700), TimeSpan.FromSeconds(20), ended.WaitHandle);
        return head.Capture(withCursor: true) ?? throw new IOException("the guest is up and shows nothing; is its driver for this device there?");
    }

    private static void Follow(QemuMachine machine, ManualResetEventSlim ready)
    {
        // Read to the end: a serial port that nobody reads holds the guest up.
        while (machine.Serial.ReadLine() is string line)
        {
            if (line.Contains(GuestBoot.ReadyLine, StringComparison.Ordinal))
            {
                ready.Set();
            }
        }
    }

    private static void WaitForEnd(QemuMachine machine, ManualResetEventSlim ended)
    {
        machine.Process.EnableRaisingEvents = true;
        machine.Process.Exited += (_, _) => ended.Set();
        if (!machine.Process.HasExited)
        {
            ended.Wait();
        }
    }
}
