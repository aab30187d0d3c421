using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;

namespace Vgpu.Vm.Tests;

/// <summary>
/// A vGPU in a domain of stock libvirt: libvirtd and virsh as Debian ships them, the hook of dist/libvirt, and the domain, the
/// command line and the daemon as an operator has them.
/// </summary>
public sealed class LibvirtTests
{
    private const string Type = "virtio-gpu-64m";

    [Fact]
    public void A_domain_s_vgpu_comes_before_it_and_goes_after_it()
    {
        using var daemon = new PrivateDaemon();
        using var libvirt = new PrivateLibvirt(daemon.Program);
        libvirt.Define(WithDesk(daemon, libvirt));
        _ = daemon.Run("remove", "desk");

        _ = libvirt.Done("start", "guest");

        Instance desk = daemon.Client.Find("desk");
        Assert.Equal((InstanceState.Running, false, new InstanceOwner(0, 0)), (desk.State, desk.Persistent, desk.Owner));
        Eventually.Holds(() => File.Exists(libvirt.PathOf("serial")) && File.ReadAllText(libvirt.PathOf("serial")).Contains(GuestBoot.ReadyLine, StringComparison.Ordinal), "the guest is ready", 120);
        Picture? picture = ScreenFeedClient.Capture(desk.Paths!.Screen, 0, withCursor: false);
        Assert.NotNull(picture);
        ConsoleText.AssertShows(picture, "vgpu guest    Linux ");

        _ = libvirt.Done("destroy", "guest");

        Assert.Empty(daemon.Client.Instances());
    }

    [Fact]
    public void A_vgpu_that_is_defined_is_started_and_stopped_with_its_domain()
    {
        using var daemon = new PrivateDaemon();
        using var libvirt = new PrivateLibvirt(daemon.Program);
        libvirt.Define(WithDesk(daemon, libvirt));
        _ = daemon.Run("stop", "desk");

        _ = libvirt.Done("start", "guest");

        Instance desk = daemon.Client.Find("desk");
        Assert.Equal((InstanceState.Running, true), (desk.State, desk.Persistent));
        Eventually.Holds(() => daemon.Client.Find("desk").Worker?.ClientPid is not null, "the domain's QEMU is its client");

        _ = libvirt.Done("destroy", "guest");

        Assert.Equal(InstanceState.Stopped, daemon.Client.Find("desk").State);
    }

    [Fact]
    public void A_vgpu_goes_with_a_qemu_that_libvirt_did_not_end()
    {
        using var daemon = new PrivateDaemon();
        using var libvirt = new PrivateLibvirt(daemon.Program);
        libvirt.Define(WithDesk(daemon, libvirt));
        _ = daemon.Run("remove", "desk");
        _ = libvirt.Done("start", "guest");
        _ = Assert.Single(daemon.Client.Instances());

        // QEMU is gone before it has answered, or just after.
        _ = libvirt.Virsh("qemu-monitor-command", "guest", "--hmp", "quit");

        Eventually.Holds(() => libvirt.Done("domstate", "guest").Trim() == "shut off", "libvirt notices");
        Eventually.Holds(() => daemon.Client.Instances().Count == 0, "the vGPU goes");
    }

    [Fact]
    public void A_vgpu_that_can_t_be_had_stops_the_start_with_its_line()
    {
        using var daemon = new PrivateDaemon();
        using var libvirt = new PrivateLibvirt(daemon.Program);
        libvirt.Define(WithDesk(daemon, libvirt).Replace(Type, "virtio-gpu-9t", StringComparison.Ordinal));
        _ = daemon.Run("remove", "desk");

        (int status, string output) = libvirt.Virsh("start", "guest");

        Assert.Equal(1, status);
        Assert.Contains("\nerror: Hook script execution failed: ", "\n" + output, StringComparison.Ordinal);
        Assert.Contains("vgpu: software0 has no type 'virtio-gpu-9t': it has ", output, StringComparison.Ordinal);
        Assert.Equal("shut off", libvirt.Done("domstate", "guest").Trim());
    }

    // The domain "guest" with a vGPU, which runs then.
    private static string WithDesk(PrivateDaemon daemon, PrivateLibvirt libvirt)
    {
        _ = daemon.Run("create", "software0", Type, "--name", "desk");
        return daemon.RunOn(libvirt.Domain("guest"), "libvirt-xml", "desk", "--domain", "-");
    }
}
