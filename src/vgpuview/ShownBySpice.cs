using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Linux;
using Vgpu.Viewers.Feed;
using Vgpu.Viewers.Spice;

namespace Vgpu.View;

/// <summary>SPICE on instances: this program again, in a process each, when somebody looks (<see cref="Program"/>).</summary>
internal sealed partial class ShownBySpice : IDisposable
{
    /// <summary>The first word of such a process's command line.</summary>
    internal const string Word = "spice";

    private readonly SpiceDoors _doors;

    private ShownBySpice(SpiceDoors doors) => _doors = doors;

    private static string[] Command => [Environment.ProcessPath ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "vgpuview.dll"), Word];

    /// <summary>Such a process; the exit status.</summary>
    internal static int Serve(string[] words, ILogger log) => SpiceProgram.Run(words, feed =>
    {
        var mirror = RemoteScreen.Connect(feed, log);
        return (mirror.Screen, mirror);
    }, log);

    /// <summary>Null, with a line on standard error, where SPICE can't be shown.</summary>
    internal static ShownBySpice? Begin(ILogger log)
    {
        string[] command = Command;
        try
        {
            // The library is looked for by one that may load it.
            using Process probe = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], SpiceProgram.Probe]) { UseShellExecute = false, WorkingDirectory = "/" })!;
            probe.WaitForExit();
            return probe.ExitCode == 0 ? new ShownBySpice(new SpiceDoors(new SpiceDoorsOptions { Command = command }, log)) : null;
        }
        catch (Win32Exception e)
        {
            LogNone(log, e.Message);
            return null;
        }
    }

    /// <summary>
    /// Opens an instance's door and says where it is; the password that was before stays. Throws <see cref="LinuxException"/>.
    /// </summary>
    internal (SpiceDoor Door, ViewerAddresses Addresses) Open(Instance instance, string folder, ViewerAddresses? former)
    {
        string password = former?.SpicePassword ?? Secrets.NewSpicePassword();
        SpiceDoor door = _doors.Open(new SpiceDoorOptions
        {
            Name = instance.Name,
            Feed = instance.Paths!.Screen,
            Password = password,
            RunAs = instance.Owner is { } owner ? (owner.Uid, owner.Gid) : null,
        });
        try
        {
            string socket = ViewerPaths.SpiceSocketOf(folder, instance.Uuid);
            door.ListenUnix(socket);
            if (instance.Owner is { } its)
            {
                FileOwner.Set(socket, its.Uid, its.Gid);
            }

            _ = SpiceAddress.TryParse(former?.Spice?.Replace("spice://", string.Empty, StringComparison.Ordinal), out SpiceAddress? was);
            IPEndPoint? at = LoopbackPorts.Spice.Listen(was?.Tcp, door.ListenTcp);
            return (door, new ViewerAddresses
            {
                Spice = at is null ? null : new SpiceAddress(at).ToUri(isTls: false),
                SpicePassword = at is null ? null : password,
                SpiceSocket = SpiceAddress.Unix(socket).ToUri(isTls: false),
            });
        }
        catch
        {
            door.Dispose();
            throw;
        }
    }

    public void Dispose() => _doors.Dispose();

    [LoggerMessage(LogLevel.Warning, "SPICE can't be shown: {Why}")]
    private static partial void LogNone(ILogger log, string why);
}
