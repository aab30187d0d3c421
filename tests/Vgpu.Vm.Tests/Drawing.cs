using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>A drawing held on a guest's screen by its drmdraw, until disposed.</summary>
public sealed class Drawing : IDisposable
{
    private readonly GuestShell _shell;

    /// <summary>Returns once the guest has drawn.</summary>
    public Drawing(GuestShell shell, string arguments)
    {
        _shell = shell;
        shell.Run(
            $"rm -f /tmp/drawn; drmdraw {arguments} --hold </dev/zero >/tmp/drawn 2>&1 & " +
            "while ! grep -q drawn /tmp/drawn; do kill -0 $! || { cat /tmp/drawn; break; }; sleep 0.05; done; grep drawn /tmp/drawn");
    }

    public void Dispose() => _shell.Run("kill $!; wait $!; true");
}
