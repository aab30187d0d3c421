using Vgpu.Bench;
using Vgpu.Bench.Acceleration;
using Vgpu.Bench.Screens;

// Runs one benchmark and prints `figure  ours  peer  ratio`, a line each, or the same as JSON.
Dictionary<string, Func<IEnumerable<Figure>>> benchmarks = new(StringComparer.Ordinal)
{
    ["slice"] = SliceBenchmark.Run,
    ["transfer"] = TransferBenchmark.Run,
    ["guest"] = GuestBenchmark.Run,
    ["vfio-user"] = WireBenchmark.Run,
    ["bus"] = BusBenchmark.Run,
    ["shares"] = SharesBenchmark.Run,
    ["viewers"] = ViewersBenchmark.Run,
    ["acceleration"] = () => AccelerationBenchmark.Run(args.Skip(1)),
    ["screens"] = () => ScreensBenchmark.Run(args.Skip(1)),
};

string? name = args.FirstOrDefault(argument => !argument.StartsWith('-'));
if (name is null || !benchmarks.TryGetValue(name, out Func<IEnumerable<Figure>>? run))
{
    Console.Error.WriteLine($"bench: which of these? {string.Join(", ", benchmarks.Keys)}; for example: ./bench/run slice --json");
    return 2;
}

if (args.Contains("--help") && (name == "screens" ? ScreensOptions.Usage : name == "acceleration" ? AccelerationOptions.Usage : null) is { } usage)
{
    Console.WriteLine(usage);
    return 0;
}

bool json = args.Contains("--json");
if (!json)
{
    Console.WriteLine($"{"figure",-58}{"ours",12}{"peer",12}{"ratio",8}");
}

try
{
    foreach (Figure figure in run())
    {
        Console.WriteLine(json ? figure.ToJson() : figure.ToString());
    }
}
catch (BenchmarkException e)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return 1;
}

return 0;
