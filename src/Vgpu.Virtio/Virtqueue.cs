namespace Vgpu.Virtio;

public sealed class Virtqueue
{
    /// <summary>Returns a chain to the driver with the bytes written to it, and interrupts if the driver wants to know. Lock held.</summary>
    public void Push(ushort head, uint written) => throw new NotImplementedException();
}
