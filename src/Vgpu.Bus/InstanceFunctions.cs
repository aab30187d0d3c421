namespace Vgpu.Bus;

/// <summary>
/// The PCI functions of an instance: the vGPU, and the input devices beside it. Each has a vfio-user socket of its own, and a
/// VMM attaches those that it wants.
/// </summary>
public static class InstanceFunctions
{
    /// <summary>The vGPU itself.</summary>
    public const int Gpu = 0;

    /// <summary>By number; the vGPU has no name of its own.</summary>
    public static IReadOnlyList<string> Names { get; } = [string.Empty, "keyboard", "tablet"];

    /// <summary>Those beside the vGPU.</summary>
    public static IEnumerable<string> Inputs => Names.Skip(1);

    /// <summary>Where a function is served, beside the vGPU's <paramref name="socket"/>.</summary>
    public static string SocketOf(string socket, string name) => name.Length == 0 ? socket : $"{socket}.{name}";
}
