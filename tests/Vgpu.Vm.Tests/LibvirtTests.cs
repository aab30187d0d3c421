using Vgpu.Qemu;
using Vgpu.Screens;

namespace Vgpu.Vm.Tests;

/// <summary>A vGPU in a domain of stock libvirt: libvirtd and virsh as Debian ships them, and the hook of dist/libvirt.</summary>
public sealed class LibvirtTests
{
    private static readonly LibvirtVgpu s_desk = new() { Name = "desk", Uuid = Guid.NewGuid(), Parent = "software0", Type = "virtio-gpu" };

    [Fact]
    public void A_domain_s_vgpu_comes_before_it_and_goes_after_it()
    {
        using var vgpus = new MadeVgpus();
        using var program = new HookedProgram(vgpus);
        using var libvirt = new PrivateLibvirt(program.Path);
        libvirt.Define("guest", vgpus.Attachment, s_desk);
        Assert.Null(vgpus.Vgpu);

        _ = libvirt.Done("start", "guest");

        Assert.Equal("0:0", vgpus.Owner);
        Eventually.Holds(() => File.Exists(libvirt.PathOf("serial")) && File.ReadAllText(libvirt.PathOf("serial")).Contains(GuestBoot.ReadyLine, StringComparison.Ordinal), "the guest is ready", 120);
        Picture picture = vgpus.Vgpu!.Capture();
        ConsoleText.AssertShows(picture, "vgpu guest    Linux ");

        _ = libvirt.Done("destroy", "guest");

        Assert.Null(vgpus.Vgpu);
        Assert.Equal(["guest start begin", "guest release end"], program.Calls);
    }

    [Fact]
    public void A_vgpu_goes_with_a_qemu_that_libvirt_did_not_end()
    {
        using var vgpus = new MadeVgpus();
        using var program = new HookedProgram(vgpus);
        using var libvirt = new PrivateLibvirt(program.Path);
        libvirt.Define("guest", vgpus.Attachment, s_desk);
        _ = libvirt.Done("start", "guest");
        Assert.NotNull(vgpus.Vgpu);

        // QEMU is gone before it has answered, or just after.
        _ = libvirt.Virsh("qemu-monitor-command", "guest", "--hmp", "quit");

        Eventually.Holds(() => libvirt.Done("domstate", "guest").Trim() == "shut off", "libvirt notices");
        Eventually.Holds(() => vgpus.Vgpu is null, "the vGPU goes");
    }

    [Fact]
    public void A_vgpu_that_can_t_be_had_stops_the_start_with_its_line()
    {
        using var vgpus = new MadeVgpus();
        using var program = new HookedProgram(vgpus);
        using var libvirt = new PrivateLibvirt(program.Path);
        libvirt.Define("guest", vgpus.Attachment, s_desk with { Type = "virtio-gpu-9t" });

        (int status, string output) = libvirt.Virsh("start", "guest");

        Assert.Equal(1, status);
        Assert.Contains("\nerror: Hook script execution failed: ", "\n" + output, StringComparison.Ordinal);
        Assert.Contains("vgpu: no device type 'virtio-gpu-9t'", output, StringComparison.Ordinal);
        Assert.Equal("shut off", libvirt.Done("domstate", "guest").Trim());
    }

    /// <summary>One vGPU at most, served in this process.</summary>
    private sealed class MadeVgpus : ILibvirtVgpus, IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("vgpu-made-").FullName;

        internal ServedVgpu? Vgpu { get; private set; }

        internal string? Owner { get; private set; }

        internal VgpuAttachment Attachment => new(Path.Combine(_folder, "vgpu.sock"));

        public HookedVgpu? Find(string nameOrUuid) => Vgpu is null ? null : View();

        public HookedVgpu Make(LibvirtVgpu vgpu, string? owner)
        {
            Vgpu = new ServedVgpu(vgpu.Type!, socketPath: Attachment.SocketPath);
            Owner = owner;
            return View();
        }

        public HookedVgpu Start(string nameOrUuid, string? owner) => throw new InvalidOperationException("none is defined");

        public void Stop(string nameOrUuid)
        {
            Vgpu?.Dispose();
            Vgpu = null;
        }

        public void Dispose()
        {
            Vgpu?.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private HookedVgpu View() => new() { Runs = true, Owner = Owner, SocketPath = Attachment.SocketPath };
    }
}
