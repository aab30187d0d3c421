using System.Net;
using Vgpu.Screens;
using Vgpu.Testing;
using Vgpu.Vfio;

namespace Vgpu.Bench.Screens;

/// <summary>A screen that the same driver paints on in the same memory, whoever emulates its virtio-gpu.</summary>
internal abstract class VirtioScreen : IShownScreen
{
    private VfioDevice? _gpu;
    private VfioDevice? _keyboard;
    private GuestSide? _side;

    public abstract string Name { get; }

    public abstract EndPoint Address { get; }

    public virtual string? Password => null;

    public abstract IReadOnlyList<int> Processes { get; }

    public Span<uint> Pixels => _side!.Pixels;

    protected FakeGuest Guest { get; } = new();

    public void Show(params ReadOnlySpan<Rect> rects) => _side!.Show(rects);

    public int TakeKeys() => _side!.TakeKeys();

    public void Dispose()
    {
        _side?.Dispose();
        _gpu?.Dispose();
        _keyboard?.Dispose();
        Unplugged();
        Guest.Dispose();
    }

    /// <summary>Starts both devices, which are this screen's from now on.</summary>
    protected void Plug(VfioDevice gpu, VfioDevice keyboard)
    {
        (_gpu, _keyboard) = (gpu, keyboard);
        _side = new GuestSide(Guest, gpu, keyboard);
    }

    /// <summary>Nobody uses the devices any more.</summary>
    protected abstract void Unplugged();
}
