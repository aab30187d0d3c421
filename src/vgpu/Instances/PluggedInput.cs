using Vgpu.Bus;
using Vgpu.Qemu;
using Vgpu.Vendors.VirtioInput;

namespace Vgpu.Cli;

/// <summary>An input device beside a vGPU, in a VM that runs. A root port takes one device, so each has a port of its own.</summary>
/// <param name="Kind">Such as "keyboard".</param>
/// <param name="Id">What QEMU calls it.</param>
/// <param name="Bus">Its port.</param>
internal sealed record PluggedInput(string Kind, string Id, string Bus)
{
    /// <summary>What QEMU calls the input devices of the vGPU that it calls so.</summary>
    internal static IEnumerable<string> IdsOf(string vgpu) => Enum.GetValues<VirtioInputKind>().Select(kind => IdOf(vgpu, kind));

    /// <summary>Plugs in those that are served beside a vGPU's socket, as far as there are ports. Throws <see cref="IOException"/>.</summary>
    internal static IReadOnlyList<PluggedInput> PlugBeside(string socket, string vgpu, HotPlug plug)
    {
        List<PluggedInput> plugged = [];
        foreach (VirtioInputKind kind in Enum.GetValues<VirtioInputKind>())
        {
            string path = InstanceFunctions.SocketOf(socket, VirtioInput.NameOf(kind));
            if (File.Exists(path) && plug.TryFindFreePort() is string port)
            {
                var input = new PluggedInput(VirtioInput.NameOf(kind), IdOf(vgpu, kind), port);
                plug.Add(new VgpuAttachment(path) { Id = input.Id, Bus = port });
                plugged.Add(input);
            }
        }

        return plugged;
    }

    private static string IdOf(string vgpu, VirtioInputKind kind) => $"{vgpu}-{VirtioInput.NameOf(kind)}";
}
