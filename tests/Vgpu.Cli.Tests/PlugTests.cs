using System.Text.Json;
using System.Xml.Linq;

namespace Vgpu.Cli.Tests;

/// <summary>An instance by its name, handed to QEMU, to libvirt, and to a VM that runs.</summary>
public sealed class PlugTests : IDisposable
{
    private readonly FakeDaemon _daemon = new();

    public PlugTests() => Socket = _daemon.Make("desk").Paths!.Socket;

    private string Socket { get; }

    private string Qmp => _daemon["qmp"];

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public void Qemu_and_libvirt_get_the_instance_s_socket()
    {
        Assert.EndsWith($" -device '{{\"driver\":\"vfio-user-pci\",\"socket\":{{\"path\":\"{Socket}\",\"type\":\"unix\"}}}}'\n", _daemon.Run("qemu-args", "desk").AssertDone(), StringComparison.Ordinal);
        string domain = _daemon.Run("libvirt-xml", "desk", "--slot", "17").AssertDone();
        Assert.Contains(XDocument.Parse(domain).Descendants().Attributes("value"), value => value.Value.Contains($"\"path\":\"{Socket}\"", StringComparison.Ordinal) && value.Value.Contains("\"addr\":\"0x11\"", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(_daemon.Run("libvirt-xml", "desk", "--slot", "17", "--json").AssertDone());
        Assert.Equal(domain, json.RootElement.GetProperty("domain").GetString() + "\n");
        _daemon.Run("libvirt-xml", "desk", "--slot", "0").AssertOneLine(2, "--slot is 1 to 31");
    }

    [Fact]
    public void One_that_does_not_run_has_no_socket()
    {
        _daemon.Bus.Stop("desk");

        foreach (string words in (string[])["qemu-args desk", "libvirt-xml desk", $"shot desk {_daemon["a.png"]}", $"attach desk --qmp {Qmp}"])
        {
            _daemon.Run(words.Split(' ')).AssertOneLine(1, "desk does not run; start it with 'vgpu start desk'");
        }
    }

    [Fact]
    public void A_shot_goes_to_the_instance_s_screen() =>
        _daemon.Run("shot", "desk", _daemon["a.png"]).AssertOneLine(2, $"no vGPU is served at {Socket}");

    [Fact]
    public void It_is_plugged_into_the_first_free_port()
    {
        using var vm = new FakeVm(Qmp, new() { ["port1"] = "virtio-net-pci", ["port3"] = null, ["port2"] = null });

        Assert.Equal("desk is vgpu-desk on port2\n", _daemon.Run("attach", "--qmp", Qmp, "desk").AssertDone());
        Assert.Equal($$"""{"driver":"vfio-user-pci","socket":{"path":"{{Socket}}","type":"unix"},"id":"vgpu-desk","bus":"port2"}""", vm.Added);
        Assert.Equal($$"""{"id":"gpu1","bus":"port9","socket":"{{Socket}}"}""" + "\n", _daemon.Run("attach", "--qmp", Qmp, "desk", "--bus", "port9", "--id", "gpu1", "--json").AssertDone());
    }

    [Fact]
    public void Its_keyboard_and_tablet_come_and_go_with_it()
    {
        ServeInput();
        using var vm = new FakeVm(Qmp, new() { ["port1"] = null, ["port2"] = null, ["port3"] = null, ["port4"] = null });

        Assert.Equal("desk is vgpu-desk on port1, its keyboard on port2, its tablet on port3\n", _daemon.Run("attach", "--qmp", Qmp, "desk").AssertDone());
        Assert.Equal(
            ((string[])["keyboard", "tablet"]).Select((kind, number) => $$"""{"driver":"vfio-user-pci","socket":{"path":"{{Socket}}.{{kind}}","type":"unix"},"id":"vgpu-desk-{{kind}}","bus":"port{{number + 2}}"}"""),
            vm.AllAdded[1..]);

        Assert.Equal("desk is detached\n", _daemon.Run("detach", "--qmp", Qmp, "desk").AssertDone());
        Assert.Equal(["vgpu-desk-keyboard", "vgpu-desk-tablet", "vgpu-desk"], vm.Removed);
    }

    [Fact]
    public void A_vm_with_too_few_ports_gets_the_vgpu_and_is_told_so()
    {
        ServeInput();
        using var vm = new FakeVm(Qmp, new() { ["port1"] = null, ["port2"] = null });

        Outcome outcome = _daemon.Run("attach", "--qmp", Qmp, "desk", "--json");

        Assert.Equal($$"""{"id":"vgpu-desk","bus":"port1","socket":"{{Socket}}","input":{"keyboard":{"id":"vgpu-desk-keyboard","bus":"port2"} } }""".Replace(" }", "}", StringComparison.Ordinal) + "\n", outcome.Output);
        Assert.Contains("no pcie-root-port is left for each of its input devices", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Libvirt_gets_the_keyboard_and_the_tablet_too()
    {
        ServeInput();

        var domain = XDocument.Parse(_daemon.Run("libvirt-xml", "desk").AssertDone());

        Assert.Equal(
            ((string[])["", ".keyboard", ".tablet"]).Select((suffix, number) => $$"""{"driver":"vfio-user-pci","socket":{"path":"{{Socket}}{{suffix}}","type":"unix"},"bus":"pcie.0","addr":"0x1{{number}}"}"""),
            domain.Descendants().Attributes("value").Select(value => value.Value).Where(value => value != "-device"));
    }

    [Fact]
    public void What_a_vm_lacks_is_one_line()
    {
        _daemon.Run("attach", "--qmp", Qmp, "desk").AssertOneLine(1, $"no VM answers at {Qmp}", $"start QEMU with: -qmp unix:{Qmp},server=on,wait=off");
        using (var bare = new FakeVm(Qmp, []))
        {
            _daemon.Run("attach", "--qmp", Qmp, "desk").AssertOneLine(1, "start it with: -device pcie-root-port,id=port1,chassis=1");
        }

        File.Delete(Qmp);
        using var full = new FakeVm(Qmp, new() { ["port1"] = "virtio-net-pci" });
        _daemon.Run("attach", "--qmp", Qmp, "desk").AssertOneLine(1, "every pcie-root-port of the VM is in use (port1)");
        _daemon.Run("attach", "--qmp", Qmp, "desk", "--timeout", "0").AssertOneLine(2, "--timeout is a number of seconds");
    }

    [Fact]
    public void It_is_unplugged_once_the_guest_lets_go()
    {
        using var vm = new FakeVm(Qmp, []);

        Assert.Equal("desk is detached\n", _daemon.Run("detach", "--qmp", Qmp, "desk").AssertDone());
        Assert.Equal("""{"detached":"gpu1"}""" + "\n", _daemon.Run("detach", "--qmp", Qmp, "desk", "--id", "gpu1", "--json").AssertDone());
        _daemon.Run("detach", "--qmp", Qmp, "absent").AssertOneLine(1, "Device 'vgpu-absent' not found");
    }

    [Theory]
    [InlineData("DEVICE_UNPLUG_GUEST_ERROR", "the guest does not let go of vgpu-desk; end what uses it")]
    [InlineData(null, "the guest has not let go of vgpu-desk after 1 s")]
    public void A_guest_that_holds_on_is_one_line(string? happens, string text)
    {
        using var vm = new FakeVm(Qmp, []) { AfterRemoval = happens };

        _daemon.Run("detach", "--qmp", Qmp, "desk", "--timeout", "1").AssertOneLine(1, text);
    }

    // As a worker does.
    private void ServeInput()
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(Socket)!);
        File.WriteAllText(Socket + ".keyboard", string.Empty);
        File.WriteAllText(Socket + ".tablet", string.Empty);
    }
}
