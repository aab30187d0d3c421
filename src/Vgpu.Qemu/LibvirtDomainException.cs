namespace Vgpu.Qemu;

/// <summary>A domain's XML can't be read, can't carry a vGPU, or its vGPU can't be had: one line that says what is wrong and what mends it.</summary>
public sealed class LibvirtDomainException(string message) : IOException(message);
