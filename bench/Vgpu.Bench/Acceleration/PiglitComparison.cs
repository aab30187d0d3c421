namespace Vgpu.Bench.Acceleration;

/// <summary>The sample of piglit that guest/piglit names, on ours and on QEMU's own, test by test.</summary>
internal static class PiglitComparison
{
    private const string Image = "initrd-piglit.img";

    internal static IEnumerable<Figure> Run()
    {
        List<(string Test, string Result)> ours = Results(RenderingHosts.OnOurs);
        List<(string Test, string Result)> peers = Results(RenderingHosts.OnPeer);
        int unlike = 0;
        foreach (((string test, string mine), (string _, string theirs)) in ours.Zip(peers).Where(pair => pair.First.Result != pair.Second.Result))
        {
            unlike++;
            Console.Error.WriteLine($"piglit {test}: {mine}, and {theirs} on QEMU's");
        }

        foreach (string result in ours.Concat(peers).Select(pair => pair.Result).Distinct().Order(StringComparer.Ordinal))
        {
            yield return new Figure($"piglit {result}, tests of {ours.Count}", Count(ours, result), Count(peers, result));
        }

        yield return new Figure("piglit: tests with another result than on QEMU's", unlike, 0);
    }

    private static int Count(List<(string Test, string Result)> results, string result) => results.Count(one => one.Result == result);

    // A test that ends the whole QEMU is said to have done so, and the ones after it run in another.
    private static List<(string Test, string Result)> Results(Action<string, Action<RenderingGuest>> on)
    {
        Queue<string>? left = null;
        List<(string Test, string Result)> results = [];
        do
        {
            on(Image, guest =>
            {
                left ??= new Queue<string>(guest.PiglitTests);
                while (!guest.HasEnded && left.TryDequeue(out string? test))
                {
                    results.Add((test, guest.Piglit(test)));
                }
            });
        }
        while (left is { Count: > 0 });
        return results;
    }
}
