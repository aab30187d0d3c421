using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>Plugs a vGPU into the root port <c>port1</c> of a running VM and unplugs it.</summary>
public static class HotPlug
{
    /// <summary>Returns once the guest's console is on the vGPU.</summary>
    public static void Plug(TestMachine machine, ServedVgpu vgpu, string framebuffer = "virtio_gpudrmfb")
    {
        VgpuAttachment plug = vgpu.Attachment with { Id = "plugged", Bus = "port1" };
        machine.Qemu.Qmp.Execute("device_add", plug.ToQmp());
        WaitForConsole(machine, framebuffer);
    }

    /// <summary>Returns once the guest's console is on a vGPU of this driver's.</summary>
    public static void WaitForConsole(TestMachine machine, string framebuffer = "virtio_gpudrmfb") =>
        machine.Shell.Run($"n=0; while ! grep -q {framebuffer} /proc/fb; do sleep 0.2; n=$((n+1)); [ $n -lt 150 ] || break; done; grep {framebuffer} /proc/fb", timeoutSeconds: 60);

    /// <summary>Returns once the guest has let go of it.</summary>
    public static void Unplug(TestMachine machine)
    {
        machine.Qemu.Qmp.Execute("device_del", new Dictionary<string, object> { ["id"] = "plugged" });
        machine.Qemu.Qmp.WaitForEvent("DEVICE_DELETED", data => data.TryGetProperty("device", out var id) && id.ValueEquals("plugged"));
    }
}
