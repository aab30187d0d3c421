using System.CommandLine;
using Vgpu.Linux;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;
using Vgpu.Viewers.Png;

namespace Vgpu.Cli;

/// <summary><c>vgpu shot</c>: a picture of a vGPU's screen.</summary>
internal static class ShotCommand
{
    internal static Command Create()
    {
        var command = new DocumentedCommand("shot", "Save what a vGPU shows as a PNG file", "vgpu shot /run/user/1000/desk.sock desk.png", "vgpu shot desk desk.png");
        var socket = new Argument<string>("SOCKET") { Description = "The vGPU: its socket, or an instance's name or UUID" };
        var file = new Argument<string>("FILE") { Description = "The picture to write; replaced as a whole where it is there" };
        var head = new Option<int>("--head") { Description = "Which output, from 0", HelpName = "N" };
        var noCursor = new Option<bool>("--no-cursor") { Description = "Leave the cursor out" };
        var json = new Option<bool>("--json") { Description = "Say what was saved as one line of JSON" };
        command.Add(socket);
        command.Add(file);
        foreach (Option option in (Option[])[head, noCursor, json])
        {
            command.Add(option);
        }

        var daemon = new DaemonOption(command);
        socket.CompletionSources.Add(daemon.InstanceNames);
        command.SetAction(parsed =>
        {
            string path = PicturePath.Resolve(parsed.GetValue(file)!);
            Picture picture = Capture(Target.Find(parsed.GetValue(socket)!, daemon, parsed), parsed.GetValue(head), !parsed.GetValue(noCursor));
            PngFile.Write(path, picture);
            Console.WriteLine(parsed.GetValue(json)
                ? PlainJson.ToText(new Dictionary<string, object> { ["file"] = path, ["width"] = picture.Width, ["height"] = picture.Height })
                : $"{path} {picture.Width}x{picture.Height}");
            return 0;
        });
        return command;
    }

    private static Picture Capture(Target target, int head, bool withCursor)
    {
        try
        {
            using ScreenFeedClient screen = ScreenFeedClient.Connect(target.Screen);
            int heads = screen.Heads().Count;
            if (head < 0 || head >= heads)
            {
                throw new OperatorException($"{target.Socket} has no head {head}; --head is 0 to {heads - 1}");
            }

            return screen.Capture(head, withCursor)
                ?? throw new IOException($"head {head} of {target.Socket} shows nothing yet; try again once its guest has drawn");
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ECONNREFUSED or Errno.ENAMETOOLONG)
        {
            throw new OperatorException($"no vGPU is served at {target.Socket}; start one with 'vgpu serve --socket {ShellWords.Quote(target.Socket)}'");
        }
    }
}
