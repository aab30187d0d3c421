using System.Text.Json;
using Vgpu.Api;
using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>
/// A stock VM on an instance of a daemon that shows screens, attached and looked at as the command line says; booted once for
/// a class of tests, each of which draws its own picture.
/// </summary>
public sealed class ViewedGuest : IDisposable
{
    private readonly PrivateDaemon _daemon = new(withViewers: true);
    private readonly TestMachine _machine;

    public ViewedGuest()
    {
        try
        {
            _ = _daemon.Run("create", "software0", "virtio-gpu-64m", "--name", "desk", "--set", "mode=800x600");
            _machine = TestMachine.BootWith(JsonSerializer.Deserialize<string[]>(_daemon.Run("qemu-args", "desk", "--memory", "512", "--json"))!);
            Keyboard = EvdevRecord.NodeOf(Shell, "vgpu keyboard");
            Tablet = EvdevRecord.NodeOf(Shell, "vgpu tablet");
            Eventually.Holds(() => TryFind() is { Web: not null, Vnc: not null, VncPassword: not null, Spice: not null }, "the screen can be seen", 60);
            Addresses = TryFind()!;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public GuestShell Shell => _machine.Shell;

    /// <summary>The guest's evdev nodes.</summary>
    public string Keyboard { get; }

    public string Tablet { get; }

    /// <summary>What <c>vgpu view desk</c> prints.</summary>
    public ViewerAddresses Addresses { get; }

    /// <summary>What <c>vgpu view --view-only desk</c> prints.</summary>
    public ViewerAddresses AddressesToLook => JsonSerializer.Deserialize(_daemon.Run("view", "--view-only", "desk", "--json"), ApiJson.Viewers)!;

    /// <summary>The port of VNC on loopback.</summary>
    public int VncPort => System.Net.IPEndPoint.Parse(Addresses.Vnc!).Port;

    /// <summary>What the daemon and its viewers' process have logged so far.</summary>
    public string Log => _daemon.Log;

    public void Dispose()
    {
        _machine?.Dispose();
        _daemon.Dispose();
    }

    private ViewerAddresses? TryFind()
    {
        try
        {
            return _daemon.Client.Viewers("desk");
        }
        catch (ApiException)
        {
            return null;
        }
    }
}
