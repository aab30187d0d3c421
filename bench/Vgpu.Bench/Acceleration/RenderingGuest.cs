using System.Globalization;
using System.Text.RegularExpressions;
using Vgpu.Qemu;
using Vgpu.Screens;
using Vgpu.Testing;

namespace Vgpu.Bench.Acceleration;

/// <summary>A guest with Debian's Mesa on one of the servers' devices, whose screen has one mode only: programs draw as many pixels on either.</summary>
internal sealed partial class RenderingGuest : IDisposable
{
    internal static readonly string[] Scenes = ["build", "texture", "shading:shading=phong", "shadow", "terrain"];

    // In bytes of the command line that writes the EDID, twelve at a time.
    private const int Piece = 12;
    private const int MostCubesPerSecond = 250;
    private static readonly DisplayMode s_mode = new(1024, 768);
    private static readonly string s_size = $"{s_mode.Width}x{s_mode.Height}";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(300);

    private readonly QemuMachine _machine;
    private readonly GuestShell _shell;

    /// <summary>Boots, and owns the machine.</summary>
    internal RenderingGuest(Func<IEnumerable<string>, QemuMachine> start, string image)
    {
        string initrd = Path.Combine(QemuInstallation.CacheFolder, "guest", image);
        _machine = start(GuestBoot.Arguments(initrd, "vgpu.shell vgpu.hold"));
        try
        {
            _shell = new GuestShell(_machine);
            _shell.WaitUntilReady(s_timeout);
            Run("export PATH=/bin:/usr/bin XDG_RUNTIME_DIR=/tmp");
            TakeOneMode();
            Renderer = Run("glframe | grep renderer");
        }
        catch
        {
            _machine.Dispose();
            throw;
        }
    }

    /// <summary>What the guest says of who draws.</summary>
    internal string Renderer { get; }

    /// <summary>Milliseconds that a frame of this scene of glmark2 takes, off the screen.</summary>
    internal double FrameTime(string scene, int seconds)
    {
        string said = Run(string.Create(CultureInfo.InvariantCulture, $"glmark2-es2-drm --off-screen -b {scene}:duration={seconds}"));
        Match size = SurfaceSize().Match(said);
        if (size.Groups[1].Value != s_size)
        {
            throw new BenchmarkException($"glmark2 drew {size.Groups[1].Value} pixels, not {s_size}: {said}");
        }

        return Number(FrameTimePattern().Match(said), said);
    }

    /// <summary>Frames that kmscube shows on the screen each second.</summary>
    internal double CubesPerSecond(int seconds)
    {
        // It ends once its standard input does, and counts every other second.
        Run("rm -f /tmp/open; mkfifo /tmp/open; sleep 600 >/tmp/open &");
        string said = Run(string.Create(CultureInfo.InvariantCulture, $"kmscube -c {MostCubesPerSecond * seconds} </tmp/open; killall sleep"));
        MatchCollection all = FramesPattern().Matches(said);
        return all.Count == 0 ? throw new BenchmarkException($"kmscube counted no frames: {said}") : Number(all[^1], said);
    }

    /// <summary>A picture of a fixed frame of glframe's.</summary>
    internal Picture Frame(string scene)
    {
        Run($"glframe --scene {scene} --size 640x480 --out /tmp/frame");
        return Ppm.Read(Convert.FromBase64String(Run("base64 /tmp/frame")));
    }

    /// <summary>Whether QEMU itself is gone.</summary>
    internal bool HasEnded => _machine.Process.HasExited;

    /// <summary>The tests of piglit's sample that the image has.</summary>
    internal IEnumerable<string> PiglitTests => Run("cat /usr/lib/x86_64-linux-gnu/piglit/sample").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What one of them came to, in piglit's own word.</summary>
    internal string Piglit(string test)
    {
        try
        {
            string said = Run($"echo '{test}' | piglit-sample");
            return said.Split(' ', 3) is ["piglit", var result, _] ? result : throw new BenchmarkException($"piglit-sample said: {said}");
        }
        catch (GuestException) when (_machine.Process.WaitForExit(s_timeout / 100))
        {
            return "ended QEMU";
        }
    }

    public void Dispose()
    {
        _machine.Process.Kill();
        _shell.Dispose();
        _machine.Dispose();
    }

    // glmark2 takes the largest mode that there is, which either server has its own of.
    private void TakeOneMode()
    {
        byte[] edid = Edid.Create(s_mode, max: s_mode);
        Run("mkdir -p /lib/firmware/edid; rm -f /lib/firmware/edid/one");
        foreach (byte[] piece in edid.Chunk(Piece))
        {
            Run($"printf '{string.Concat(piece.Select(one => string.Create(CultureInfo.InvariantCulture, $"\\{Convert.ToString(one, 8).PadLeft(3, '0')}")))}' >>/lib/firmware/edid/one");
        }

        Run("while read -r module; do insmod /lib/modules/$module; [ $module != drm.ko ] || echo edid/one >/sys/module/drm/parameters/edid_firmware; done </lib/modules/order");
        string modes = Run("sort -u /sys/class/drm/card0-Virtual-1/modes");
        if (modes.Split('\n').Any(mode => mode.Length > s_size.Length))
        {
            throw new BenchmarkException($"the guest's screen has other modes: {modes}");
        }
    }

    private string Run(string command) => _shell.Run(command, (int)s_timeout.TotalSeconds);

    private static double Number(Match match, string said) =>
        match.Success ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : throw new BenchmarkException($"no figure in: {said}");

    [GeneratedRegex(@"Surface Size:\s+(\d+x\d+)")]
    private static partial Regex SurfaceSize();

    [GeneratedRegex(@"FrameTime: ([0-9.]+) ms")]
    private static partial Regex FrameTimePattern();

    [GeneratedRegex(@"Rendered \d+ frames in [0-9.]+ sec \(([0-9.]+) fps\)")]
    private static partial Regex FramesPattern();
}
