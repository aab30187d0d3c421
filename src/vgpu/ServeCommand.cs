using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Linux;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary><c>vgpu serve</c>: one vGPU in the foreground, with no daemon.</summary>
internal static class ServeCommand
{
    internal static Command Create()
    {
        var command = new Command("serve", """
            Serve one vGPU in the foreground until Ctrl-C or SIGTERM.

            Example:
              vgpu serve --socket /run/user/1000/desk.sock --device virtio-gpu --width 1920 --height 1080
            """);
        var socket = new Option<string>("--socket") { Description = "Unix socket for the VMM; the screen's is beside it, with '.screen' added", Required = true, HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Say where it serves as one line of JSON" };
        var verbose = new Option<bool>("--verbose") { Description = "Log more" };
        command.Add(socket);
        var device = new DeviceOptions(command);
        command.Add(json);
        command.Add(verbose);
        command.SetAction(parsed => Run(
            parsed.GetValue(socket)!,
            device.Type(parsed),
            device.Options(parsed, Path.GetFileNameWithoutExtension(parsed.GetValue(socket)!)),
            parsed.GetValue(json),
            new ConsoleLog(Console.Error, parsed.GetValue(verbose) ? LogLevel.Debug : LogLevel.Information)));
        return command;
    }

    private static int Run(string socketPath, string type, VgpuOptions options, bool json, ILogger log)
    {
        using var ended = new ManualResetEventSlim();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using VgpuServer server = Listen(socketPath, type, options, log);
        var attachment = new VgpuAttachment(server.SocketPath);
        if (json)
        {
            Console.WriteLine(PlainJson.ToText(new Dictionary<string, object>
            {
                ["type"] = server.Type.Name,
                ["socket"] = server.SocketPath,
                ["screen"] = VgpuServer.ScreenPath(server.SocketPath),
                ["qemu_device"] = attachment.ToDeviceJson(),
            }));
        }
        else
        {
            Console.WriteLine($"""
                vgpu: {server.Type.Name} {options.Mode.Width}x{options.Mode.Height}, {options.Heads} head(s), at {server.SocketPath}
                  attach: qemu-system-x86_64 {ShellWords.Join(VgpuAttachment.Arguments(2048, attachment))} …
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

    private static VgpuServer Listen(string socketPath, string type, VgpuOptions options, ILogger log)
    {
        try
        {
            return new VgpuServer(socketPath, type, options, log);
        }
        catch (LinuxException e) when (e.Errno == Errno.EADDRINUSE)
        {
            throw new OperatorException($"somebody listens at {socketPath} already; end that server or give --socket another path");
        }
        catch (LinuxException e) when (e.Errno == Errno.EEXIST)
        {
            throw new OperatorException($"{socketPath} is there and is no socket; move it away or give --socket another path");
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.EACCES or Errno.ENAMETOOLONG)
        {
            throw new OperatorException($"can't listen at {socketPath} ({e.Message}); give --socket a path of at most 100 bytes in a folder that exists and that you may write to");
        }
    }
}
