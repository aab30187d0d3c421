using System.Diagnostics;
using Vgpu.Qemu;
using Vgpu.Testing;

namespace Vgpu.Vm.Tests;

/// <summary>
/// A stock libvirtd of this test's own: in mount and process namespaces, where its folders are those of a temporary one and
/// everything that it started ends with it. It needs root: libvirt's system daemon sets groups, which a user namespace forbids.
/// </summary>
public sealed class PrivateLibvirt : IDisposable
{
    private const string Inside = """
        set -e
        for folder in /run /var/lib /var/log /var/cache; do mount -t tmpfs tmpfs $folder; done
        mount --bind "$1/etc" /etc/libvirt
        libvirtd -f /etc/libvirt/libvirtd.conf -p "$1/libvirtd.pid"
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vgpu-libvirt-");
    private readonly Process _namespace;

    /// <summary>Returns once it answers, with the project's hook in its place.</summary>
    /// <param name="vgpu">The program that the hook runs as <c>vgpu</c>.</param>
    public PrivateLibvirt(string vgpu)
    {
        Assert.True(Environment.IsPrivilegedProcess, "libvirt's system daemon needs root; run the tests as root");
        string hooks = Directory.CreateDirectory(PathOf("etc/hooks/qemu.d")).FullName;
        File.Copy(Path.Combine(Repository.Folder, "dist", "libvirt", "hooks", "qemu.d", "vgpu"), Path.Combine(hooks, "vgpu"));
        string bin = Directory.CreateDirectory(PathOf("bin")).FullName;
        File.CreateSymbolicLink(Path.Combine(bin, "vgpu"), vgpu);
        File.WriteAllText(PathOf("etc/libvirtd.conf"), $"""
            unix_sock_dir = "{_folder.FullName}"
            auth_unix_rw = "none"
            auth_unix_ro = "none"
            log_outputs = "3:file:{PathOf("libvirtd.log")}"

            """);
        File.WriteAllText(PathOf("etc/qemu.conf"), """
            user = "root"
            group = "root"
            security_driver = "none"
            cgroup_controllers = []
            namespaces = []
            stdio_handler = "file"

            """);
        var start = new ProcessStartInfo("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", Inside, "sh", _folder.FullName])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{start.Environment["PATH"]}";
        _namespace = Process.Start(start)!;
        try
        {
            // libvirtd has no signal for "ready" without systemd: it is asked until it answers or has ended.
            Eventually.Holds(() => _namespace.HasExited || Virsh("uri").Status == 0, "libvirtd answers");
            Assert.False(_namespace.HasExited, _namespace.HasExited ? $"libvirtd does not start: {_namespace.StandardError.ReadToEnd()}" : string.Empty);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A file in its folder.</summary>
    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Runs a command of virsh to its end.</summary>
    public (int Status, string Output) Virsh(params IEnumerable<string> words)
    {
        var start = new ProcessStartInfo("virsh", ["-q", "-c", $"qemu:///system?socket={PathOf("libvirt-sock")}", .. words]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process virsh = Process.Start(start)!;
        Task<string> errors = virsh.StandardError.ReadToEndAsync();
        string output = virsh.StandardOutput.ReadToEnd();
        Assert.True(virsh.WaitForExit(TimeSpan.FromSeconds(60)), "virsh does not end");
        return (virsh.ExitCode, output + errors.Result);
    }

    /// <summary>The same, where it must succeed.</summary>
    public string Done(params IEnumerable<string> words)
    {
        (int status, string output) = Virsh(words);
        string log = PathOf("libvirtd.log");
        Assert.True(status == 0, $"virsh {string.Join(' ', words)}: {output}{(File.Exists(log) ? File.ReadAllText(log) : string.Empty)}");
        return output;
    }

    /// <summary>A domain without a vGPU: the demo's guest, its serial port in the file "serial".</summary>
    public string Domain(string name) => $"""
        <domain type='{(QemuInstallation.Accelerator == "kvm" ? "kvm" : "qemu")}'>
          <name>{name}</name>
          <memory unit='MiB'>512</memory>
          <vcpu>2</vcpu>
          <os>
            <type arch='x86_64' machine='q35'>hvm</type>
            <kernel>{QemuInstallation.GuestKernel}</kernel>
            <initrd>{QemuInstallation.GuestInitrd}</initrd>
            <cmdline>console=tty0 console=ttyS0 no_timer_check panic=-1</cmdline>
          </os>
          <features><acpi/></features>
          <cpu mode='maximum'/>
          <devices>
            <emulator>{QemuInstallation.Executable}</emulator>
            <serial type='file'><source path='{PathOf("serial")}'/></serial>
            <memballoon model='none'/>
          </devices>
        </domain>
        """;

    public void Define(string domain)
    {
        File.WriteAllText(PathOf("domain.xml"), domain);
        _ = Done("define", PathOf("domain.xml"));
    }

    public void Dispose()
    {
        if (!_namespace.HasExited)
        {
            // The kernel ends all that is in the process namespace with its first process, and that one ends with this.
            _namespace.Kill();
        }

        // All that holds these pipes has ended once they have: nobody writes into the folder any more.
        _ = _namespace.StandardOutput.ReadToEnd();
        _ = _namespace.StandardError.ReadToEnd();
        _namespace.WaitForExit();
        _namespace.Dispose();
        _folder.Delete(recursive: true);
    }
}
