using System.Diagnostics;
using Vgpu.Api;
using Vgpu.Testing;

namespace Vgpu.Control.Tests;

/// <summary>The service's files in dist/: what they and the program must agree on, and systemd's own judgement where it is installed.</summary>
public sealed class DistTests
{
    private static readonly string[] s_units = ["vgpud.service", "vgpud.socket", "vgpud-ro.socket"];

    [Theory]
    [InlineData("vgpud.socket", DaemonPaths.Socket, "0660")]
    [InlineData("vgpud-ro.socket", DaemonPaths.ReadOnlySocket, "0666")]
    public void A_socket_has_the_name_place_and_mode_that_the_daemon_means(string unit, string name, string mode)
    {
        string[] lines = File.ReadAllLines(Find(unit));

        Assert.Contains($"ListenStream=%t/vgpu/{name}", lines);
        Assert.Contains($"FileDescriptorName={name}", lines);
        Assert.Contains($"SocketMode={mode}", lines);
    }

    [Fact]
    public void Workers_and_VMs_outlive_the_service()
    {
        string[] lines = File.ReadAllLines(Find("vgpud.service"));

        Assert.All(["Type=notify", "KillMode=process", "RuntimeDirectoryPreserve=yes"], line => Assert.Contains(line, lines));
    }

    [Fact]
    public void Systemd_finds_nothing_wrong()
    {
        using var folder = new TemporaryFolder();
        foreach (string unit in s_units)
        {
            // The program that the unit starts need not be installed here.
            File.WriteAllText(folder.File(unit), File.ReadAllText(Find(unit)).Replace("ExecStart=/usr/bin/dotnet", "ExecStart=/bin/true", StringComparison.Ordinal));
        }

        string script = $"! command -v systemd-analyze >/dev/null || systemd-analyze verify {string.Join(' ', s_units.Select(folder.File))} 2>&1";
        using Process verify = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true })!;
        string output = verify.StandardOutput.ReadToEnd();
        verify.WaitForExit();

        // It loads the machine's own units too, whose faults are not ours.
        Assert.DoesNotContain("vgpud", output, StringComparison.Ordinal);
    }

    private static string Find(string unit)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "vgpu.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no vgpu.slnx above the tests");
        }

        return Path.Combine(folder.FullName, "dist", unit);
    }
}
