namespace Vgpu.Screens;

/// <summary>
/// 32-bit pixels, named by the order of their bytes in memory, first byte first; X is a byte without meaning.
/// The eight of the virtio-gpu 2D list, with its numbers (virtio 1.2, 5.7.6.8).
/// </summary>
public enum PixelFormat
{
    B8G8R8A8 = 1,
    B8G8R8X8 = 2,
    A8R8G8B8 = 3,
    X8R8G8B8 = 4,
    R8G8B8A8 = 67,
    X8B8G8R8 = 68,
    A8B8G8R8 = 121,
    R8G8B8X8 = 134,
}
