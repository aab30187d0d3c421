using System.Diagnostics;

namespace Vgpu.Fuzz;

/// <summary>
/// Changes inputs of the corpus again and again, and keeps what shows something new of the code, made as short as it can be.
/// </summary>
internal sealed class FuzzLoop
{
    private const int MostTrims = 400;
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(20);

    private readonly IFuzzTarget _target;
    private readonly Corpus _corpus;
    private readonly Findings _findings;
    private readonly Coverage _coverage;
    private readonly Random _random;
    private readonly Mutator _mutator;
    private readonly List<byte[]> _inputs = [];
    private byte[] _current = [];
    private long _begun;

    internal FuzzLoop(IFuzzTarget target, Corpus corpus, Findings findings, Coverage coverage, int seed)
    {
        _coverage = coverage;
        _target = target;
        _corpus = corpus;
        _findings = findings;
        _random = new Random(seed);
        _mutator = new Mutator(_random);
    }

    /// <summary>Inputs played.</summary>
    internal long Runs { get; private set; }

    /// <summary>Goes on for this long; false where an input showed a fault, which was written down then.</summary>
    internal bool Run(TimeSpan time)
    {
        using var watch = new Timer(_ => EndIfStuck(), null, _longest, TimeSpan.FromSeconds(1));
        try
        {
            long begun = Stopwatch.GetTimestamp();
            long told = begun;
            Load();
            int first = _coverage.Count;
            FindingException.Require(first > 0, "nothing is instrumented: start it by fuzz/run");
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                byte[] input = _mutator.Change(_inputs[_random.Next(_inputs.Count)], _inputs[_random.Next(_inputs.Count)]);
                Consider(input);
                if (Stopwatch.GetElapsedTime(told) > TimeSpan.FromSeconds(10))
                {
                    told = Stopwatch.GetTimestamp();
                    Console.WriteLine($"fuzz: {_target.Name}: {Runs} runs, coverage {_coverage.Count}, {_inputs.Count} inputs");
                }
            }

            DropTheNeedless();
            Console.WriteLine($"fuzz: {_target.Name}: {Runs} runs, coverage {first} to {_coverage.Count}, {_corpus.Inputs.Count} inputs");
            return true;
        }
#pragma warning disable CA1031 // Whatever a target throws is a finding.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Console.WriteLine(_findings.Add(_target.Name, _current, e));
            return false;
        }
    }

    private void Load()
    {
        foreach (byte[] input in _corpus.Inputs)
        {
            Play(input);
            _coverage.Add(_coverage.New());
            _inputs.Add(input);
        }

        foreach (byte[] seed in _target.Seeds)
        {
            Consider(seed);
        }

        if (_inputs.Count == 0)
        {
            _inputs.Add([]);
        }
    }

    private void Consider(byte[] input)
    {
        Play(input);
        Dictionary<int, byte> found = _coverage.New();
        if (found.Count == 0)
        {
            return;
        }

        // Threads may meet in another order: only what comes again is worth a file.
        for (int i = 0; i < 2 && found.Count > 0; i++)
        {
            Play(input);
            _coverage.Keep(found);
        }

        if (found.Count > 0)
        {
            input = Trim(input, found);
            _coverage.Add(found);
            _corpus.Add(input);
            _inputs.Add(input);
        }
    }

    private byte[] Trim(byte[] input, Dictionary<int, byte> wanted)
    {
        int trims = 0;
        for (int part = Math.Max(1, input.Length / 2); part >= 1; part /= 2)
        {
            for (int at = 0; at < input.Length && trims < MostTrims; trims++)
            {
                byte[] shorter = [.. input[..at], .. input[Math.Min(at + part, input.Length)..]];
                Play(shorter);
                if (_coverage.Shows(wanted))
                {
                    input = shorter;
                }
                else
                {
                    at += part;
                }
            }
        }

        return input;
    }

    // Shortest first, what shows nothing that a shorter one did not show goes.
    private void DropTheNeedless()
    {
        _coverage.Forget();
        foreach (byte[] input in _corpus.Inputs)
        {
            Play(input);
            Dictionary<int, byte> found = _coverage.New();
            if (found.Count == 0)
            {
                _corpus.Remove(input);
            }

            _coverage.Add(found);
        }
    }

    private void Play(byte[] input)
    {
        _current = input;
        _findings.Playing(input);
        Volatile.Write(ref _begun, Stopwatch.GetTimestamp());
        _coverage.Clear();
        _target.Run(input);
        Volatile.Write(ref _begun, 0);
        Runs++;
    }

    // A target that never returns can't be called back: the process ends.
    private void EndIfStuck()
    {
        long begun = Volatile.Read(ref _begun);
        if (begun != 0 && Stopwatch.GetElapsedTime(begun) > _longest)
        {
            Console.WriteLine(_findings.Add(_target.Name, _current, new FindingException($"it took more than {_longest.TotalSeconds} s")));
            Environment.Exit(1);
        }
    }
}
