using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Vgpu.Qemu;

/// <summary>
/// Where QEMU, firmware and the demo's guest are: below <c>$VGPU_CACHE</c>, or the user's cache folder, as eng/setup
/// lays them out. <c>$VGPU_QEMU</c> names another QEMU.
/// </summary>
public static partial class QemuInstallation
{
    /// <summary>The first QEMU with <c>vfio-user-pci</c>.</summary>
    public static Version MinimumVersion { get; } = new(10, 1);

    public static string CacheFolder { get; } =
        Environment.GetEnvironmentVariable("VGPU_CACHE") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(
                Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
                    ? xdg
                    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
                "vgpu");

    public static string Executable { get; } =
        Environment.GetEnvironmentVariable("VGPU_QEMU") is { Length: > 0 } chosen ? chosen : Path.Combine(CacheFolder, "bin", "qemu-system-x86_64");

    /// <summary>Debian's stock kernel.</summary>
    public static string GuestKernel { get; } = Path.Combine(CacheFolder, "guest", "vmlinuz");

    /// <summary>busybox, the kernel's own modules and the demo's init.</summary>
    public static string GuestInitrd { get; } = Path.Combine(CacheFolder, "guest", "initrd.img");

    public static string OvmfCode { get; } = Path.Combine(CacheFolder, "firmware", "OVMF_CODE.fd");

    public static string OvmfVariables { get; } = Path.Combine(CacheFolder, "firmware", "OVMF_VARS.fd");

    /// <summary>SeaBIOS's option ROM for bochs-display.</summary>
    public static string BochsRom { get; } = Path.Combine(CacheFolder, "firmware", "vgabios-bochs-display.bin");

    /// <summary>
    /// QEMU's accelerator: <c>$VGPU_ACCEL</c>, set by eng/probe-kvm's answer, which boots a guest to find out;
    /// otherwise <c>tcg</c>, which works everywhere.
    /// </summary>
    public static string Accelerator { get; } =
        Environment.GetEnvironmentVariable("VGPU_ACCEL") is "kvm" ? "kvm" : "tcg";

    /// <summary>The version that QEMU prints, or null where it can't be run.</summary>
    public static Version? ProbeVersion()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Executable, "--version") { RedirectStandardOutput = true, RedirectStandardError = true });
            string text = process?.StandardOutput.ReadToEnd() ?? string.Empty;
            process?.WaitForExit();
            Match match = VersionPattern().Match(text);
            return match.Success ? Version.Parse(match.Groups[1].Value) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    [GeneratedRegex(@"version (\d+\.\d+(\.\d+)?)")]
    private static partial Regex VersionPattern();
}
