namespace Vgpu.Fuzz.Tests;

// Every input that the fuzzer has kept, played once: what it found stays found.
public sealed class CorpusTests
{
    public static TheoryData<string> Targets => [.. FuzzTargets.Names];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_input_of_the_corpus_is_taken(string name)
    {
        using IFuzzTarget target = FuzzTargets.Make(name);
        IReadOnlyList<byte[]> inputs = new Corpus(Path.Combine(AppContext.BaseDirectory, "corpus", name)).Inputs;
        Assert.NotEmpty(inputs);
        foreach (byte[] input in inputs)
        {
            Exception? fault = Record.Exception(() => target.Run(input));
            Assert.True(fault is null, $"fuzz/run --replay {name} fuzz/corpus/{name}/{Corpus.NameOf(input)}: {fault}");
        }
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_seed_is_taken(string name)
    {
        using IFuzzTarget target = FuzzTargets.Make(name);
        foreach (byte[] seed in target.Seeds)
        {
            target.Run(seed);
        }
    }
}
