using Vgpu.Qemu;

namespace Vgpu.Vm.Tests;

/// <summary>A drawing held on a guest's screen by its drmdraw, or another program that takes the same arguments, until disposed.</summary>
public sealed class Drawing : IDisposable
{
    private readonly GuestShell _shell;
    private readonly string _program;

    /// <summary>Returns once the guest has drawn.</summary>
    public Drawing(GuestShell shell, string arguments, string program = "drmdraw")
    {
        _shell = shell;
        _program = shell.Run(
            $": >/tmp/drawn; {program} {arguments} --hold </dev/zero >/tmp/drawn 2>&1 & " +
            "while ! grep -q drawn /tmp/drawn; do kill -0 $! || { cat /tmp/drawn; break; }; sleep 0.05; done; echo $!; grep -q drawn /tmp/drawn").Trim();
    }

    /// <summary>Has a program that waits with <c>--on-signal</c> draw its rectangles, and returns once it has.</summary>
    public void Update() => _shell.Run(
        $"kill -USR1 {_program}; while ! grep -q rects /tmp/drawn; do kill -0 {_program} || {{ cat /tmp/drawn; break; }}; sleep 0.05; done; grep rects /tmp/drawn");

    public void Dispose() => _shell.Run($"kill {_program}; wait {_program}; true");
}
