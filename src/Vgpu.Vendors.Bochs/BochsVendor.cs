using System.Numerics;
using Microsoft.Extensions.Logging;
using Vgpu.Gpus;
using Vgpu.Screens;
using Vgpu.Vfio;
using Vgpu.Vfio.Iommu;

namespace Vgpu.Vendors.Bochs;

/// <summary>
/// The vendor <c>bochs</c> with one type, <c>bochs-display</c>: what firmware and every guest with a bochs driver or a
/// plain framebuffer can show.
/// </summary>
public sealed class BochsVendor : IVgpuVendor
{
    private const ulong MinVideoMemory = 4UL << 20;
    private const ulong DefaultVideoMemory = 16UL << 20;
    private const ulong MaxVideoMemory = 256UL << 20;
    private const int MinSide = 64;

    /// <inheritdoc/>
    public string Name => "bochs";

    /// <inheritdoc/>
    public IReadOnlyList<VgpuType> Types { get; } =
    [
        new("bochs-display", "a plain framebuffer with modes and EDID, for firmware and simple drivers", 1, DefaultVideoMemory),
    ];

    /// <summary>
    /// Makes a bochs-display. Video memory is rounded up to a power of two of 4 to 256 MiB; where the options say
    /// nothing it is 16 MiB or what the mode needs. Throws <see cref="ArgumentException"/>.
    /// </summary>
    public VgpuInstance Create(VgpuType type, VgpuOptions options, Type2 iommu, IRenderer renderer, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(renderer);
        ArgumentNullException.ThrowIfNull(log);
        if (!Types.Contains(type))
        {
            throw new ArgumentException($"vendor {Name} has no type {type.Name}: its type is {Types[0].Name}");
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
        ulong videoMemory = VideoMemoryFor(options);
        var screen = new Screen(1, options.Mode);
        return new VgpuInstance(new BochsDisplay(iommu, options.Name, screen.Heads[0], videoMemory, options.Rom, renderer, NamedLogger.For(log, options.Name)), screen);
    }

    private static ulong VideoMemoryFor(VgpuOptions options)
    {
        DisplayMode mode = options.Mode;
        if (!mode.IsValid || mode.Width < MinSide || mode.Height < MinSide)
        {
            throw new ArgumentException($"mode {mode}: bochs-display shows {MinSide}x{MinSide} and more, at 1 to {DisplayMode.MaxRefreshHertz} Hz");
        }

        ulong needed = (ulong)mode.Width * (ulong)mode.Height * Surface.BytesPerPixel;
        ulong chosen = options.VideoMemory == 0 ? Math.Max(DefaultVideoMemory, needed) : options.VideoMemory;
        if (chosen is < MinVideoMemory or > MaxVideoMemory)
        {
            throw new ArgumentException($"video memory of {chosen >> 20} MiB: bochs-display has {MinVideoMemory >> 20} to {MaxVideoMemory >> 20} MiB");
        }

        ulong size = BitOperations.RoundUpToPowerOf2(chosen);
        return size >= needed ? size : throw new ArgumentException($"mode {mode} needs {needed >> 20} MiB of video memory, not {size >> 20}");
    }
}
