using System.Globalization;
using Vgpu.Bus;
using Vgpu.Gpus;
using Vgpu.Screens;

namespace Vgpu.Cli.Workers;

/// <summary>What a definition means to a vendor.</summary>
internal static class InstanceOptions
{
    /// <summary>The bus has checked the settings; a value that is none all the same throws <see cref="ArgumentException"/>.</summary>
    internal static VgpuOptions Of(InstanceDefinition definition, VgpuType type)
    {
        var options = new VgpuOptions { Name = definition.Name, VideoMemory = type.DefaultVideoMemory, Rom = OptionRom.Find(type) };
        foreach ((string name, string value) in definition.Settings)
        {
            options = name switch
            {
                "memory_limit" => options with { VideoMemory = Parse(name, value) },
                "heads" => options with { Heads = (int)Parse(name, value) },
                "mode" => options with { Mode = ParseMode(value) },
                "interrupts" => options with { Msix = value == "msix" },
                "guest_blobs" => options with { GuestBlobs = value == "on" },
                "fps_limit" => options with { FramesPerSecond = (int)Parse(name, value) },
                // The daemon's, in the table of the parent's vGPUs.
                "policy" or "weight" => options,
                // Not the device's: see InputComposition.TypeInto.
                "qmp" => options,
                _ => throw new ArgumentException($"no setting '{name}' is known to this worker"),
            };
        }

        return options;
    }

    /// <summary>The VM's QMP socket; null: none.</summary>
    internal static string? QmpOf(InstanceDefinition definition) => definition.Settings.GetValueOrDefault("qmp") is { Length: > 0 } path ? path : null;

    private static ulong Parse(string name, string value) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : throw new ArgumentException($"{name} '{value}' is no number");

    private static DisplayMode ParseMode(string value)
    {
        string[] sides = value.Split('x');
        return sides.Length == 2 ? new DisplayMode((int)Parse("mode", sides[0]), (int)Parse("mode", sides[1])) : throw new ArgumentException($"mode '{value}' is not of the form 1920x1080");
    }
}
