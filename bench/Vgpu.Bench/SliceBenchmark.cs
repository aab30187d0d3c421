namespace Vgpu.Bench;

/// <summary>
/// The first whole slice: how soon a guest has a picture, how fast its pixels reach the host's surface, and how many
/// full screens a second a guest program draws. The peer of the VM figures is QEMU's own virtio-gpu-pci in the same
/// QEMU with the same guest; the peer of the copies is one plain memory copy of the same bytes.
/// </summary>
internal static class SliceBenchmark
{
    internal static IEnumerable<Figure> Run() => [.. TransferBenchmark.Run(), .. GuestBenchmark.Run()];
}
