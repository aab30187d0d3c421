using Vgpu.Linux;
using Vgpu.Qemu;
using Vgpu.Vendors.VirtioGpu;

namespace Vgpu.Cli;

/// <summary>One thing that vgpu needs, whether it is there, and the one command that mends it.</summary>
/// <param name="Name">What it is.</param>
/// <param name="NeededFor">Who needs it.</param>
/// <param name="IsRequired">False where vgpu works without it.</param>
/// <param name="Found">What was found, or null.</param>
/// <param name="Mend">The command that mends it, or why nothing needs mending.</param>
internal sealed record Requirement(string Name, string NeededFor, bool IsRequired, string? Found, string Mend)
{
    private const string Setup = "./vgpu setup";

    /// <summary>Looks at this machine.</summary>
    internal static IReadOnlyList<Requirement> Probe() =>
    [
        new(".NET runtime", "everything", true, Environment.Version.ToString(), "install the .NET 10 SDK"),
        new("memory files that seal", "serve", true, ProbeMemFd(), "a Linux kernel of 4.14 or newer"),
        new($"QEMU {QemuInstallation.MinimumVersion} or newer", "demo, attaching a VM", true, ProbeQemu(), Setup),
        FileAt("guest kernel", QemuInstallation.GuestKernel),
        FileAt("guest initramfs", QemuInstallation.GuestInitrd),
        FileAt("OVMF", QemuInstallation.OvmfCode),
        new("option ROM for bochs", "a picture under SeaBIOS", false, Existing(QemuInstallation.BochsRom), Setup),
        new("KVM", "fast guests", false, QemuInstallation.Accelerator == "kvm" ? "a guest boots on it" : null, "guests run under TCG without it; see whether this machine has virtualisation, and whether you may open /dev/kvm"),
        ProbeVirgl(),
        new("a GPU driver on the host", "rendering for guests", false, Directory.Exists("/dev/dri") ? "/dev/dri" : null, "the software GPU draws without it"),
    ];

    private static Requirement ProbeVirgl()
    {
        string? missing = BuiltInVendors.WhyNot(VirtioVendor.RenderingType);
        return new("VirGL", $"{VirtioVendor.RenderingType}, guests that render by OpenGL", false, missing is null ? $"{VirtioVendor.RenderingType} is offered" : null, missing ?? string.Empty);
    }

    private static Requirement FileAt(string name, string path) => new(name, "demo, tests", true, Existing(path), Setup);

    private static string? Existing(string path) => File.Exists(path) ? path : null;

    private static string? ProbeQemu() =>
        QemuInstallation.ProbeVersion() is Version version && version >= QemuInstallation.MinimumVersion
            ? $"{version} ({QemuInstallation.Executable})"
            : null;

    private static string? ProbeMemFd()
    {
        try
        {
            using FileDescriptor file = MemFd.Create("vgpu-doctor", 4096);
            return MemFd.GetSeals(file).ToString();
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
