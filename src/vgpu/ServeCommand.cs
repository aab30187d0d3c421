using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Bus;
using Vgpu.Bus.Settings;
using Vgpu.Gpus;
using Vgpu.Qemu;
using Vgpu.Vendors.VirtioInput;

namespace Vgpu.Cli;

/// <summary><c>vgpu serve</c>: one vGPU in the foreground, with no daemon.</summary>
internal static class ServeCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand(
            "serve",
            "Serve one vGPU in the foreground until Ctrl-C or SIGTERM",
            "vgpu serve --socket /run/user/1000/desk.sock --device virtio-gpu --width 1920 --height 1080 --input",
            "vgpu serve --socket /run/user/1000/plain.sock --device bochs --json");
        var socket = new Option<string>("--socket") { Description = "Unix socket for the VMM; the screen's is beside it, with '.screen' added", Required = true, HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Say where it serves as one line of JSON" };
        var verbose = new Option<bool>("--verbose") { Description = "Log more" };
        command.Add(socket);
        var device = new DeviceOptions(command);
        var input = new InputOption(command);
        var qmp = new Option<string?>("--qmp") { Description = "The VM's QMP socket, which takes keys and pointer until its guest has a driver for the input devices", HelpName = "PATH" };
        command.Add(qmp);
        command.Add(json);
        command.Add(verbose);
        command.SetAction(parsed => Run(
            parsed.GetValue(socket)!,
            device.Type(parsed),
            device.Options(parsed, Path.GetFileNameWithoutExtension(parsed.GetValue(socket)!)),
            input.Kinds(parsed),
            QmpPath(parsed.GetValue(qmp)),
            parsed.GetValue(json),
            new ConsoleLog(Console.Error, parsed.GetValue(verbose) ? LogLevel.Debug : LogLevel.Information)));
        return command;
    }

    // As the setting 'qmp' of an instance is checked.
    private static string? QmpPath(string? path)
    {
        try
        {
            return path is null ? null : Setting.Qmp.Canonical(Path.GetFullPath(path), DeviceTypes.Find("virtio-gpu").Type);
        }
        catch (BusException e)
        {
            throw new OperatorException($"--qmp: {e.Message}");
        }
    }

    private static int Run(string socketPath, string type, VgpuOptions options, IReadOnlyList<VirtioInputKind> input, string? qmp, bool json, ILogger log)
    {
        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var server = new VgpuServer(socketPath, type, options, log, input, qmp);
        var attachment = new VgpuAttachment(server.SocketPath);
        if (json)
        {
            var said = new Dictionary<string, object>
            {
                ["type"] = server.Type.Name,
                ["socket"] = server.SocketPath,
                ["screen"] = VgpuServer.ScreenPath(server.SocketPath),
                ["qemu_device"] = attachment.ToDeviceJson(),
            };
            if (input.Count > 0)
            {
                said["input"] = server.InputSockets.ToDictionary(device => VirtioInput.NameOf(device.Kind), object (device) => device.SocketPath);
            }

            Console.WriteLine(PlainJson.ToText(said));
        }
        else
        {
            Console.WriteLine($"""
                vgpu: {server.Type.Name} {options.Mode.Width}x{options.Mode.Height}, {options.Heads} head(s), {(options.VideoMemory == 0 ? string.Empty : $"{options.VideoMemory >> 20} MiB, ")}at {server.SocketPath}
                  attach: qemu-system-x86_64 {ShellWords.Join(VgpuAttachment.Arguments(2048, [attachment, .. server.InputSockets.Select(device => new VgpuAttachment(device.SocketPath))]).Concat(VgpuAttachment.Qmp(qmp)))} …
                  look:   vgpu shot {ShellWords.Quote(server.SocketPath)} picture.png
                """);
        }

        ended.Wait();
        return 0;

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            ended.Set();
        }
    }
}
