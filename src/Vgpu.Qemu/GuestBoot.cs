namespace Vgpu.Qemu;

/// <summary>The arguments that boot Debian's stock kernel with the guest image of eng/setup, without any display of QEMU's own.</summary>
public static class GuestBoot
{
    /// <summary>The guest's first word on the serial port once it has drawn, or takes commands.</summary>
    public const string ReadyLine = "vgpu-guest: ready";

    /// <summary>
    /// Arguments for a guest whose console is on the vGPU and on the serial port.
    /// </summary>
    /// <param name="initrd">The guest's image, <see cref="QemuInstallation.GuestInitrd"/> for the demo's.</param>
    /// <param name="commandLine">Added to the kernel's command line.</param>
    public static IReadOnlyList<string> Arguments(string initrd, string commandLine = "") =>
    [
        "-nodefaults",
        "-vga", "none",
        "-accel", QemuInstallation.Accelerator == "kvm" ? "kvm" : "tcg,thread=multi",
        "-cpu", "max",
        "-smp", "2",
        "-kernel", QemuInstallation.GuestKernel,
        "-initrd", initrd,
        "-append", $"console=tty0 console=ttyS0 no_timer_check panic=-1 {commandLine}".TrimEnd(),
    ];
}
