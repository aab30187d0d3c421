using System.Numerics;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.Bochs;

/// <summary>
/// The vendor <c>bochs</c> with <c>bochs-display</c> and sizes of it: what firmware and every guest with a bochs driver or a
/// plain framebuffer can show.
/// </summary>
public sealed class BochsVendor : IVgpuVendor
{
    private const ulong MinVideoMemory = 4UL << 20;
    private const ulong MaxVideoMemory = 256UL << 20;

    /// <inheritdoc/>
    public string Name => "bochs";

    /// <inheritdoc/>
    public IReadOnlyList<VgpuType> Types { get; } =
    [
        new("bochs-display", "a plain framebuffer with modes and EDID, for firmware and simple drivers", 1, 16UL << 20),
        Sized(4, new DisplayMode(1024, 768)),
        Sized(64, new DisplayMode(3840, 2160)),
    ];

    /// <summary>
    /// Makes a bochs-display. Video memory is rounded up to a power of two of 4 to 256 MiB; where the options say
    /// nothing it is the type's or what the mode needs. Throws <see cref="ArgumentException"/>.
    /// </summary>
    public VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(renderer);
        ArgumentNullException.ThrowIfNull(log);
        if (!Types.Contains(type))
        {
            throw new ArgumentException($"vendor {Name} has no type {type.Name}: its types are {string.Join(", ", Types.Select(t => t.Name))}");
        }

        if (options.Heads != 1)
        {
            throw new ArgumentException($"{options.Heads} heads: {type.Name} has one");
        }

        if (options.GuestBlobs)
        {
            throw new ArgumentException($"{type.Name} has no resources, so no blobs either");
        }

        if (options.Msix)
        {
            throw new ArgumentException($"{type.Name} has no interrupts, so no MSI-X either");
        }

        BochsRom.Check(options.Rom.Span);
        ulong videoMemory = VideoMemoryFor(type, options);
        var screen = new Screen(1, options.Mode, type.MaxMode);
        var notices = new VgpuNotices();
        var device = new BochsDisplay(iommu, options, screen.Heads[0], videoMemory, renderer, notices, NamedLogger.For(log, options.Name));
        return new VgpuInstance(device, screen, device, notices);
    }

    private static VgpuType Sized(ulong mebibytes, DisplayMode max) =>
        new($"bochs-display-{mebibytes}m", $"a plain framebuffer of {mebibytes} MiB, up to {max.Width}x{max.Height}", 1, mebibytes << 20) { MaxMode = max };

    private static ulong VideoMemoryFor(VgpuType type, VgpuOptions options)
    {
        DisplayMode mode = options.Mode;
        VgpuMode.Check(mode, type.MaxMode);
        ulong chosen = options.VideoMemory == 0 ? Math.Max(type.DefaultVideoMemory, BochsDisplay.BytesOf(mode)) : options.VideoMemory;
        if (chosen is < MinVideoMemory or > MaxVideoMemory)
        {
            throw new ArgumentException($"video memory of {chosen >> 20} MiB: bochs-display has {MinVideoMemory >> 20} to {MaxVideoMemory >> 20} MiB");
        }

        ulong size = BitOperations.RoundUpToPowerOf2(chosen);
        BochsDisplay.CheckMode(mode, type.MaxMode, size);
        return size;
    }
}
