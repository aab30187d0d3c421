using System.Globalization;
using SharpFuzz;
using Vgpu.Fuzz;

// Called by fuzz/run, which says what for:
//   instrument FOLDER                  puts the probes into our assemblies there
//   fuzz SECONDS TARGET SEED HOME WORK
//   replay TARGET FILE
switch (args)
{
    case ["instrument", string folder]:
        foreach (string name in Instrumented.Assemblies)
        {
            _ = Fuzzer.Instrument(Path.Combine(folder, name), _ => true, SharpFuzz.Options.Value);
        }

        return 0;

    case ["fuzz", string seconds, string name, string seed, string home, string work]:
        // Both first: the console opens files of its own, and from here on instrumented code may run.
        Console.WriteLine($"fuzz: {name}: seed {seed}");
        var coverage = new Coverage();
        using (IFuzzTarget target = FuzzTargets.Make(name))
        using (var findings = new Findings(Path.Combine(home, "findings"), Path.Combine(work, $"playing-{name}")))
        {
            var loop = new FuzzLoop(target, new Corpus(Path.Combine(home, "corpus", name)), findings, coverage, int.Parse(seed, CultureInfo.InvariantCulture));
            return loop.Run(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))) ? 0 : 1;
        }

    case ["replay", string name, string file]:
        using (IFuzzTarget target = FuzzTargets.Make(name))
        {
            target.Run(File.ReadAllBytes(file));
            Console.WriteLine($"fuzz: {name}: {file} shows no fault");
            return 0;
        }

    default:
        Console.Error.WriteLine("fuzz: start it by fuzz/run");
        return 2;
}
