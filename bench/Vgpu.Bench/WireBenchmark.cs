using System.Diagnostics;
using System.Numerics;

namespace Vgpu.Bench;

/// <summary>
/// Our vfio-user server against libvfio-user, the C library, and against the floor, which only answers: the same client,
/// the same device (bench/vfio-user/client.c), one processor for all. In turn, group by group, so that a machine whose
/// speed drifts is as slow for each; the ratio is the median of the rounds' ratios.
/// </summary>
internal static class WireBenchmark
{
    // Many short ones: what else the machine does then falls on all three alike.
    private const int Rounds = 21;
    private const int WarmUps = 4;

    // What the client measures in one go, and whether the floor can answer it.
    private static readonly (string[] Options, bool HasFloor)[] s_groups =
    [
        (["-t", "r", "-n", "8000"], true),
        (["-t", "pw", "-n", "20000"], true),
        (["-t", "b", "-k", "1024", "-n", "10000"], false),
        (["-t", "d", "-e", "0", "-d", "2000"], false),
        (["-t", "d", "-e", "10000", "-d", "2000"], false),
        (["-t", "t", "-e", "10000", "-x", "400000"], false),
        (["-t", "m"], false),
        (["-t", "i", "-n", "8000"], false),
    ];

    // Once a round for us alone: the peer loses the framing, and a client that waits for it gives up after 10 s.
    private static readonly string[] s_bulkWrites = ["-t", "B", "-k", "1024", "-n", "10000"];

    private static readonly Target s_noSlower = new(AtMost: true, 1.00);
    private static readonly Target s_nineTenths = new(AtMost: true, 0.90);

    internal static IEnumerable<Figure> Run()
    {
        string tools = Environment.GetEnvironmentVariable("VGPU_BENCH_TOOLS") is { Length: > 0 } folder
            ? folder
            : throw new BenchmarkException("VGPU_BENCH_TOOLS is not set; start it by ./bench/run vfio-user");
        DirectoryInfo sockets = Directory.CreateTempSubdirectory("vgpu-bench-");
        try
        {
            return Measure(tools, sockets.FullName);
        }
        finally
        {
            sockets.Delete(recursive: true);
        }
    }

    private static List<Figure> Measure(string tools, string sockets)
    {
        string client = Path.Combine(tools, "client");
        string device = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../Vgpu.BenchDevice/bin/Release/net10.0/Vgpu.BenchDevice.dll"));
        string peerProgram = Path.Combine(tools, "peer");
        int processor = LastProcessor();
        using var ours = new WireServer(client, Path.Combine(sockets, "ours"), processor, "dotnet", device);
        using var floor = new WireServer(client, Path.Combine(sockets, "floor"), processor, Path.Combine(tools, "floor"));
        using WireServer? peer = File.Exists(peerProgram) ? new WireServer(client, Path.Combine(sockets, "peer"), processor, peerProgram) : null;

        // Some rounds before those that count: code that is compiled as it is used, caches, page tables.
        for (int i = 0; i < WarmUps; i++)
        {
            _ = Round(ours, peer, floor);
        }

        var rounds = new WireRounds();
        for (int i = 0; i < Rounds; i++)
        {
            rounds.Add(Round(ours, peer, floor));
        }

        return [.. Figures(rounds, peer is null ? null : PeerBulkWrite(client, sockets, processor, peerProgram))];
    }

    private static WireRound Round(WireServer ours, WireServer? peer, WireServer floor)
    {
        var round = new WireRound();
        foreach ((string[] options, bool hasFloor) in s_groups)
        {
            round.Ours.Add(ours.Measure(["-R", "1", .. options]));
            round.Peer.Add(peer?.Measure(["-R", "1", .. options]) ?? []);
            round.Floor.Add(hasFloor ? floor.Measure(["-R", "1", .. options]) : []);
        }

        round.Ours.Add(ours.Measure(["-R", "1", .. s_bulkWrites]));
        return round;
    }

    // A process of its own, which is not of much use afterwards.
    private static double? PeerBulkWrite(string client, string sockets, int processor, string program)
    {
        using var peer = new WireServer(client, Path.Combine(sockets, "peer-write"), processor, program);
        return peer.Measure(["-R", "1", .. s_bulkWrites]).TryGetValue("region_write_1024k.median_ns", out double ns) ? ns : null;
    }

    private static IEnumerable<Figure> Figures(WireRounds rounds, double? peerBulkWrite)
    {
        yield return rounds.Time("REGION_READ 4 B, median, µs", "region_read4.median_ns", s_nineTenths);
        yield return rounds.Time("REGION_READ 4 B, p99, µs", "region_read4.p99_ns", s_noSlower);
        yield return rounds.Time("REGION_WRITE 4 B, median, µs", "region_write4.median_ns", s_nineTenths);
        yield return rounds.Time("REGION_WRITE 4 B, p99, µs", "region_write4.p99_ns", s_noSlower);
        yield return rounds.Rate("REGION_READ 4 B, 64 in flight, k/s", "region_read4_pipelined_64.ops_per_s", 3);
        yield return rounds.Rate("REGION_WRITE 4 B, posted, k/s", "region_write4_posted_batch256.ops_per_s", 2);
        yield return rounds.Time("REGION_READ 1 MiB, median, µs", "region_read_1024k.median_ns", new Target(AtMost: true, 0.60));
        yield return rounds.Time("REGION_WRITE 1 MiB, median, µs (- : fails)", "region_write_1024k.median_ns", target: null) with
        {
            Peer = peerBulkWrite / 1e3 ?? double.NaN,
        };
        yield return rounds.Pairs("DMA_MAP + DMA_UNMAP, no other map, k pairs/s", 0, 1.3);
        yield return rounds.Pairs("DMA_MAP + DMA_UNMAP among 10,000, k pairs/s", 10_000, 1.3);
        yield return rounds.PairsOfOurs("the same, among 10,000 against no other", 10_000, 0, 0.9);
        yield return rounds.Time("DMA_UNMAP of all 10,000, µs", "dma_unmap_all_10000.total_us", new Target(AtMost: true, 0.50), unit: 1);
        yield return rounds.Time("translate, same map, ns", "server_translate_same_region_regions_10000.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Time("translate, random of 10,000, ns", "server_translate_random_region_regions_10000.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Time("translate + get + put, same map, ns", "server_translate_get_put_same_region_regions_10000.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Time("translate + get + put, random of 10,000, ns", "server_translate_get_put_random_region_regions_10000.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Time("translate + write 4 B + put, random, ns", "server_translate_get_write4_put_random_region_regions_10000.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Message("DMA_READ message 64 B, µs", "server_dma_read_message_64");
        yield return rounds.Message("DMA_WRITE message 64 B, µs", "server_dma_write_message_64");
        yield return rounds.Message("DMA_READ message 4 KiB, µs", "server_dma_read_message_4096");
        yield return rounds.Message("DMA_WRITE message 4 KiB, µs", "server_dma_write_message_4096");
        yield return rounds.Time("SET_IRQS trigger round trip, median, µs", "set_irqs_trigger_roundtrip.median_ns", s_noSlower);
        yield return rounds.Time("interrupt trigger, ns", "server_irq_trigger.ns_per_op", s_noSlower, unit: 1);
        yield return rounds.Time("doorbell to eventfd, median, µs", "doorbell_to_eventfd.median_ns", s_noSlower);
    }

    // The last one that this process may use: the first has the machine's interrupts.
    private static int LastProcessor()
    {
        using Process self = Process.GetCurrentProcess();
        return OperatingSystem.IsLinux() ? BitOperations.Log2((ulong)self.ProcessorAffinity) : 0;
    }
}
