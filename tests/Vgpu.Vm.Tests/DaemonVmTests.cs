using System.Globalization;
using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Viewers.Feed;

namespace Vgpu.Vm.Tests;

/// <summary>A stock VM on an instance of the real daemon, made and watched as operators do it.</summary>
public sealed class DaemonVmTests
{
    private const string Type = "virtio-gpu-64m";

    [Fact]
    public void A_VM_on_an_instance_of_mdevctl_outlives_the_daemon_and_its_worker()
    {
        using var daemon = new PrivateDaemon();
        string uuid = Guid.NewGuid().ToString();
        _ = Mdevctl.Ok(daemon.Tree, "define", "--uuid", uuid, "--parent", "software0", "--type", Type);
        _ = Mdevctl.Ok(daemon.Tree, "modify", "--uuid", uuid, "--addattr", "mode", "--value", "800x600");
        _ = Mdevctl.Ok(daemon.Tree, "start", "--uuid", uuid);
        Assert.Equal("800x600", Read(daemon, uuid, "mode"));
        using (var machine = TestMachine.Boot(new VgpuAttachment(Read(daemon, uuid, "socket"))))
        {
            AssertDraws(daemon, uuid, machine, seed: 5);

            machine.Shell.Run("(while :; do echo $RANDOM $RANDOM $RANDOM; done >/dev/tty0) & echo drawing");
            daemon.KillAndReplace();
            int worker = daemon.Client.Find(uuid).Worker!.Pid;
            Workplace.Signal(worker, "KILL");
            Eventually.Holds(() => daemon.Client.Find(uuid).Worker is { } next && next.Pid != worker, "another worker takes over");
            machine.Shell.Run("kill $!; wait $!; true");

            AssertDraws(daemon, uuid, machine, seed: 6);
            int successions = daemon.Client.Find(uuid).Worker!.Successions;
            Assert.True(successions == 1, $"{successions} successions: {daemon.Log}");
            Assert.Empty(machine.Shell.Complaints());
            Assert.Equal(string.Empty, machine.Qemu.Errors);
        }

        Eventually.Holds(() => Read(daemon, uuid, "client").Length == 0, "the client is gone");
        _ = Mdevctl.Ok(daemon.Tree, "stop", "--uuid", uuid);
        Assert.Equal($"{uuid} software0 {Type} manual", Mdevctl.Ok(daemon.Tree, "list", "--defined"));
        Assert.Equal(InstanceState.Stopped, daemon.Client.Find(uuid).State);
    }

    [Fact]
    public void A_running_VM_is_given_a_vgpu_and_gives_it_back()
    {
        using var daemon = new PrivateDaemon();
        string qmp = daemon.PathOf("qmp");
        _ = daemon.Run("create", "software0", Type, "--name", "desk", "--set", "mode=800x600");
        using var machine = TestMachine.BootWith([.. VgpuAttachment.SharedMemory(512), "-device", "pcie-root-port,id=port1,chassis=1", "-qmp", $"unix:{qmp},server=on,wait=off"]);
        for (uint round = 0; round < 2; round++)
        {
            Assert.Equal("desk is vgpu-desk on port1\n", daemon.Run("attach", "--qmp", qmp, "desk"));
            HotPlug.WaitForConsole(machine);
            AssertDraws(daemon, "desk", machine, seed: round);

            Assert.Equal("desk is detached\n", daemon.Run("detach", "--qmp", qmp, "desk"));

            Assert.Equal("none", machine.Shell.Run("ls -d /sys/class/drm/card? 2>/dev/null || echo none").Trim());
            Eventually.Holds(() => daemon.Client.Find("desk") is { State: InstanceState.Running, Worker: { ClientPid: null } }, "the vGPU waits for the next");
        }

        Assert.Empty(machine.Shell.Complaints());
        Assert.False(machine.Qemu.Process.HasExited);
    }

    // The guest's picture is the one shown, and all that tells of the instance tells what runs.
    private static void AssertDraws(PrivateDaemon daemon, string name, TestMachine machine, uint seed)
    {
        Instance instance = daemon.Client.Find(name);
        using var drawing = new Drawing(machine.Shell, $"--card 0 --mode 800x600 --pattern noise --seed {seed}");
        Picture expected = GuestPattern.Noise(800, 600, seed);
        Eventually.Holds(() => ScreenFeedClient.Capture(instance.Paths!.Screen, 0, withCursor: false) is Picture picture && PictureAssert.AreSame(expected, picture), () => $"the guest's picture is shown; {Circumstances(daemon, name, machine)}");

        string uuid = instance.Uuid.ToString();
        string client = machine.Qemu.Process.Id.ToString(CultureInfo.InvariantCulture);
        // The console's picture and this one.
        ulong least = 2 * 800 * 600 * 4;
        Eventually.Holds(() => ulong.Parse(Read(daemon, uuid, "memory_used"), CultureInfo.InvariantCulture) >= least && Read(daemon, uuid, "modes") == "800x600", "the worker has told of the drawing");
        string used = Read(daemon, uuid, "memory_used");
        Assert.Equal(("running", client, instance.Paths!.Socket, instance.Paths.Screen), (Read(daemon, uuid, "state"), Read(daemon, uuid, "client"), Read(daemon, uuid, "socket"), Read(daemon, uuid, "screen")));

        Instance shown = JsonSerializer.Deserialize(daemon.Run("show", name, "--json"), ApiJson.Instance)!;
        Assert.Equal((InstanceState.Running, client, used), (shown.State, $"{shown.Worker!.ClientPid}", $"{shown.Worker.MemoryUsed}"));
        Assert.Equal([new DisplayMode(800, 600)], shown.Worker.Modes);

        string[] metrics = daemon.Metrics();
        Assert.Contains($$"""vgpu_memory_used_bytes{uuid="{{uuid}}"} {{used}}""", metrics);
        Assert.Contains($$"""vgpu_memory_limit_bytes{uuid="{{uuid}}"} {{64 << 20}}""", metrics);
        Assert.Contains($$"""vgpu_running{uuid="{{uuid}}"} 1""", metrics);
        Assert.Contains($$"""vgpu_info{uuid="{{uuid}}",name="{{instance.Name}}",type="{{Type}}",parent="software0",client="{{client}}"} 1""", metrics);
    }

    private static string Circumstances(PrivateDaemon daemon, string name, TestMachine machine)
    {
        Instance instance = daemon.Client.Find(name);
        Picture? picture = ScreenFeedClient.Capture(instance.Paths!.Screen, 0, withCursor: false);
        return $"there is {(picture is null ? "nothing" : $"another of {picture.Width}x{picture.Height}")}, {instance.Worker}; the daemon: {daemon.Log}; the guest: {machine.Shell.TryRun("dmesg | tail -n 20; cat /proc/interrupts | grep -i virtio").Output}";
    }

    private static string Read(PrivateDaemon daemon, string uuid, string attribute) =>
        File.ReadAllText(Path.Combine(daemon.Tree, "sys/bus/mdev/devices", uuid, attribute)).TrimEnd('\n');
}
