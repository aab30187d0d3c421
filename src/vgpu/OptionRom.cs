using Vgpu.Gpus;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary>The option ROM that a type's firmware support is in, where this machine has it.</summary>
internal static class OptionRom
{
    /// <summary>SeaBIOS's for bochs; empty for others, and where it is not installed.</summary>
    internal static ReadOnlyMemory<byte> Find(VgpuType type)
    {
        if (!type.Name.StartsWith("bochs-display", StringComparison.Ordinal))
        {
            return default;
        }

        string[] candidates = [QemuInstallation.BochsRom, "/usr/share/seabios/vgabios-bochs-display.bin", "/usr/share/qemu/vgabios-bochs-display.bin"];
        return candidates.FirstOrDefault(File.Exists) is string found ? File.ReadAllBytes(found) : default;
    }
}
