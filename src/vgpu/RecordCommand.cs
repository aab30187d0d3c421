using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vgpu.Host.Codecs;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;
using Vgpu.Viewers.Recording;

namespace Vgpu.Cli;

/// <summary><c>vgpu record</c>: a film of a vGPU's screen.</summary>
internal static class RecordCommand
{
    private const int MaxFramesPerSecond = 60;

    internal static Command Create()
    {
        var command = new DocumentedCommand("record", "Film what a vGPU shows, until Ctrl-C", "vgpu record desk desk.mp4", "vgpu record /run/user/1000/desk.sock boot.apng --duration 20");
        var socket = new Argument<string>("SOCKET") { Description = "The vGPU: its socket, or an instance's name or UUID" };
        var file = new Argument<string>("FILE") { Description = "The film to write: MP4, or an animated PNG where it ends in .apng or .png" };
        var duration = new Option<double?>("--duration") { Description = "End after so many seconds", HelpName = "SECONDS" };
        var fps = new Option<int>("--fps") { Description = $"The most pictures a second, 1 to {MaxFramesPerSecond}", HelpName = "N", DefaultValueFactory = _ => 30 };
        var head = new Option<int>("--head") { Description = "Which output, from 0", HelpName = "N" };
        command.Add(socket);
        command.Add(file);
        foreach (Option option in (Option[])[duration, fps, head])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        socket.CompletionSources.Add(daemon.InstanceNames);
        command.SetAction(parsed =>
        {
            int rate = parsed.GetValue(fps);
            if (rate is < 1 or > MaxFramesPerSecond)
            {
                throw new OperatorException($"{rate} is no rate; --fps is 1 to {MaxFramesPerSecond}");
            }

            double? seconds = parsed.GetValue(duration);
            if (seconds is not null and (not > 0 or > 1_000_000))
            {
                throw new OperatorException("--duration is more than 0 and at most 1000000 seconds");
            }

            string path = PicturePath.Resolve(parsed.GetValue(file)!);
            Target target = Target.Find(parsed.GetValue(socket)!, daemon, parsed);
            return Record(target, path, parsed.GetValue(head), rate, seconds is double s ? TimeSpan.FromSeconds(s) : null);
        });
        return command;
    }

    private static int Record(Target target, string path, int head, int rate, TimeSpan? duration)
    {
        using var end = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using RemoteScreen remote = Connect(target);
        if (head < 0 || head >= remote.Screen.Heads.Count)
        {
            throw new OperatorException($"{target.Socket} has no head {head}; --head is 0 to {remote.Screen.Heads.Count - 1}");
        }

        TimeSpan length = default;
        string size = string.Empty;
        var recorder = new HeadRecorder(remote.Screen.Heads[head], rate);
        recorder.Recorded += (pictures, at) =>
        {
            bool isNextSecond = (long)at.TotalSeconds != (long)length.TotalSeconds;
            length = at;
            if (isNextSecond && !Console.IsErrorRedirected)
            {
                Console.Error.Write($"\rrecording {size}, {Seconds(at)} s, {pictures} pictures; Ctrl-C ends it");
            }
        };

        long count = recorder.Record(
            (width, height) =>
            {
                size = $"{width}x{height}";
                return Start(path, width, height, rate);
            },
            duration,
            end.Token);
        if (!Console.IsErrorRedirected && length.TotalSeconds >= 1)
        {
            Console.Error.WriteLine();
        }

        if (count == 0)
        {
            throw new IOException($"head {head} of {target.Socket} showed nothing; try again once its guest has drawn");
        }

        Console.WriteLine($"{path} {size}, {Seconds(length)} s, {count} pictures");
        return 0;

        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            end.Cancel();
        }
    }

    private static IRecording Start(string path, int width, int height, int rate)
    {
        IRecording film = RecordingFile.Create(path, width, height, PictureCodecs.Host, new H264Settings { FramesPerSecond = rate });
        if (film.IsApng && !RecordingFile.IsApng(path))
        {
            string reason = PictureCodecs.Host.Missing.FirstOrDefault(line => line.StartsWith("no H.264", StringComparison.Ordinal))
                ?? $"no H.264 encoder of this host takes {width}x{height}";
            Console.Error.WriteLine($"vgpu: {reason}; {path} becomes an animated PNG");
        }

        return film;
    }

    private static RemoteScreen Connect(Target target)
    {
        try
        {
            return RemoteScreen.Connect(target.Screen, new ConsoleLog(Console.Error, LogLevel.Warning));
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ECONNREFUSED or Errno.ENAMETOOLONG)
        {
            throw new OperatorException($"no vGPU is served at {target.Socket}; start one with 'vgpu serve --socket {ShellWords.Quote(target.Socket)}'");
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
}
