using System.Runtime.InteropServices;
using Vgpu.Screens;

namespace Vgpu.Bench.Acceleration;

/// <summary>
/// A stock guest with stock Mesa that renders with the host's OpenGL: on our virtio-gpu-gl by vfio-user and on QEMU's own
/// virtio-gpu-gl-pci, with the same QEMU, guest, renderer library and Mesa.
/// </summary>
internal static class AccelerationBenchmark
{
    private const string Image = "initrd-gl.img";

    internal static IEnumerable<Figure> Run(IEnumerable<string> arguments)
    {
        AccelerationOptions options = AccelerationOptions.Parse(arguments);
        Console.Error.WriteLine($"both with {OpenGlTree.Versions}");
        List<Measured> ours = [];
        List<Measured> peers = [];
        for (int i = 0; i < options.Rounds; i++)
        {
            RenderingHosts.OnOurs(Image, guest => ours.Add(Measured.Of(guest, options.Seconds, "ours")));
            RenderingHosts.OnPeer(Image, guest => peers.Add(Measured.Of(guest, options.Seconds, "QEMU's")));
        }

        var atMost = new Target(AtMost: true, 1);
        foreach (string scene in RenderingGuest.Scenes)
        {
            yield return new Figure($"glmark2 {scene.Split('=')[^1]} off-screen 1024x768, ms/frame", Median(ours, scene), Median(peers, scene)) { Target = atMost };
        }

        yield return new Figure("kmscube on the screen 1024x768, frames/s", Figure.Median(ours.Select(run => run.Cubes)), Figure.Median(peers.Select(run => run.Cubes)))
        {
            Target = new Target(AtMost: false, 1),
        };
        yield return new Figure("fixed frame: pixels unlike QEMU's, exact scene", Unlike(ours[0].Exact, peers[0].Exact), 0);
        yield return new Figure("fixed frame: pixels unlike QEMU's, lit scene", Unlike(ours[0].Lit, peers[0].Lit), 0);
        if (options.WithPiglit)
        {
            foreach (Figure figure in PiglitComparison.Run())
            {
                yield return figure;
            }
        }
    }

    private static double Median(List<Measured> runs, string scene) => Figure.Median(runs.Select(run => run.FrameTimes[scene]));

    private static int Unlike(Picture ours, Picture peers)
    {
        ReadOnlySpan<uint> a = MemoryMarshal.Cast<byte, uint>(ours.Pixels.Span);
        ReadOnlySpan<uint> b = MemoryMarshal.Cast<byte, uint>(peers.Pixels.Span);
        int unlike = Math.Abs(a.Length - b.Length);
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            unlike += ((a[i] ^ b[i]) & 0xff_ffff) != 0 ? 1 : 0;
        }

        return unlike;
    }

    private sealed record Measured(IReadOnlyDictionary<string, double> FrameTimes, double Cubes, Picture Exact, Picture Lit)
    {
        internal static Measured Of(RenderingGuest guest, int seconds, string whose)
        {
            Console.Error.WriteLine($"{whose}: {guest.Renderer}");
            Dictionary<string, double> times = RenderingGuest.Scenes.ToDictionary(scene => scene, scene => guest.FrameTime(scene, seconds));
            return new Measured(times, guest.CubesPerSecond(2 * seconds), guest.Frame("exact"), guest.Frame("lit"));
        }
    }
}
