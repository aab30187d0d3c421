using System.CommandLine;
using Vgpu.Gpus;
using Vgpu.Gpus.Shares;
using Vgpu.Screens;

namespace Vgpu.Cli;

/// <summary>The options that describe a vGPU, for every command that makes one.</summary>
internal sealed class DeviceOptions
{
    private readonly Option<string> _device = new("--device") { Description = $"Device type: {string.Join(", ", DeviceTypes.Names)}", DefaultValueFactory = _ => "virtio-gpu", HelpName = "TYPE" };
    private readonly Option<int> _width = new("--width") { Description = "Preferred width in pixels", DefaultValueFactory = _ => 1024, HelpName = "W" };
    private readonly Option<int> _height = new("--height") { Description = "Preferred height in pixels", DefaultValueFactory = _ => 768, HelpName = "H" };
    private readonly Option<int> _heads = new("--heads") { Description = "Number of outputs", DefaultValueFactory = _ => 1, HelpName = "N" };
    private readonly Option<int?> _videoMemory = new("--vram") { Description = "Video memory in MiB that the guest may use", HelpName = "MIB" };
    private readonly Option<string> _interrupts = new("--interrupts") { Description = "intx, or msix (then never unplug it: stock QEMU aborts)", DefaultValueFactory = _ => "intx", HelpName = "KIND" };
    private readonly Option<bool> _blobs = new("--blobs") { Description = "virtio-gpu: let the guest keep resources in its own memory (Linux then draws fewer frames)" };
    private readonly Option<int> _frames = new("--fps-limit") { Description = "virtio-gpu-gl: frames that each output may show in a second; 0: as many as there are", HelpName = "N" };
    private readonly Option<string?> _rom = new("--rom") { Description = "Option ROM image for bochs, or 'none'; SeaBIOS's own where installed", HelpName = "FILE" };

    internal DeviceOptions(Command command)
    {
        _device.AcceptOnlyFromAmong([.. DeviceTypes.Names]);
        _interrupts.AcceptOnlyFromAmong("intx", "msix");
        foreach (Option option in (Option[])[_device, _width, _height, _heads, _videoMemory, _interrupts, _blobs, _frames, _rom])
        {
            command.Add(option);
        }
    }

    internal string Type(ParseResult parsed) => parsed.GetValue(_device)!;

    /// <summary>What was asked for. Throws <see cref="OperatorException"/>.</summary>
    internal VgpuOptions Options(ParseResult parsed, string name)
    {
        (_, VgpuType type) = DeviceTypes.Find(Type(parsed));
        int width = parsed.GetValue(_width);
        int height = parsed.GetValue(_height);
        if (width is < 64 or > 16_384 || height is < 64 or > 16_384)
        {
            throw new OperatorException($"{width}x{height} is no mode; width and height are 64 to 16384");
        }

        int heads = parsed.GetValue(_heads);
        if (heads < 1 || heads > type.MaxHeads)
        {
            throw new OperatorException($"{type.Name} has 1 to {type.MaxHeads} heads, not {heads}");
        }

        int? videoMemory = parsed.GetValue(_videoMemory);
        if (videoMemory is < 1 or > 65_536)
        {
            throw new OperatorException($"--vram is 1 to 65536 MiB, not {videoMemory}");
        }

        int frames = parsed.GetValue(_frames);
        if (frames is < 0 or > FrameLimiter.MaxFramesPerSecond)
        {
            throw new OperatorException($"--fps-limit is 1 to {FrameLimiter.MaxFramesPerSecond}, or 0 for none, not {frames}");
        }

        return new VgpuOptions
        {
            Name = name,
            FramesPerSecond = frames,
            Mode = new DisplayMode(width, height),
            Heads = heads,
            VideoMemory = (ulong)(videoMemory ?? 0) << 20,
            Msix = parsed.GetValue(_interrupts) == "msix",
            GuestBlobs = parsed.GetValue(_blobs),
            Rom = LoadRom(type, parsed.GetValue(_rom)),
        };
    }

    private static ReadOnlyMemory<byte> LoadRom(VgpuType type, string? path)
    {
        if (path is "none")
        {
            return default;
        }

        if (path is not null)
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : throw new OperatorException($"no ROM image at {path}; give --rom a file or 'none'");
        }

        return OptionRom.Find(type);
    }
}
