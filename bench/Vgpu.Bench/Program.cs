using System.Globalization;
using System.Text.Json;
using Vgpu.Bench;

// Runs one benchmark and prints `figure  ours  peer  ratio`, a line each, or the same as JSON.
Dictionary<string, Func<IEnumerable<Figure>>> benchmarks = new(StringComparer.Ordinal)
{
    ["slice"] = SliceBenchmark.Run,
    ["transfer"] = TransferBenchmark.Run,
    ["guest"] = GuestBenchmark.Run,
};

string? name = args.FirstOrDefault(argument => !argument.StartsWith('-'));
if (name is null || !benchmarks.TryGetValue(name, out Func<IEnumerable<Figure>>? run))
{
    Console.Error.WriteLine($"bench: which of these? {string.Join(", ", benchmarks.Keys)}; for example: ./bench/run slice --json");
    return 2;
}

bool json = args.Contains("--json");
if (!json)
{
    Console.WriteLine($"{"figure",-58}{"ours",12}{"peer",12}{"ratio",8}");
}

foreach (Figure figure in run())
{
    Console.WriteLine(json
        ? JsonSerializer.Serialize(new { figure = figure.Name, ours = figure.Ours, peer = figure.Peer, ratio = figure.Ratio })
        : string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-58}{figure.Ours,12:0.00}{figure.Peer,12:0.00}{figure.Ratio,8:0.00}"));
}

return 0;
