using System.Globalization;

namespace Vgpu.Linux.Tests;

/// <summary>A moment in which threads come before others; it takes the right to, which tests have as root.</summary>
public sealed class HasteTests
{
    [Fact]
    public void What_is_begun_in_haste_is_slowed_down_with_the_rest()
    {
        bool mayRaise = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal)) is string line
            && (ulong.Parse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1ul << 23)) != 0;
        using var end = new ManualResetEventSlim();
        int before = NiceOfThis();
        int within = 0, begun = 0, after = 0;
        var thread = new Thread(() =>
        {
            Thread? started = null;
            using (new Haste())
            {
                within = NiceOfThis();
                using var ready = new ManualResetEventSlim();
                started = new Thread(() =>
                {
                    begun = NiceOfThis();
                    ready.Set();
                    end.Wait();
                    begun -= NiceOfThis();
                });
                started.Start();
                ready.Wait();
            }

            after = NiceOfThis();
            end.Set();
            started.Join();
        });
        thread.Start();
        thread.Join();

        int raised = mayRaise ? -10 : before;
        Assert.Equal((raised, before), (within, after));

        // Of the one that it began: from the one to the other.
        Assert.Equal(raised - before, begun);
    }

    // Of the nineteen fields of stat(5), after the name in brackets.
    private static int NiceOfThis()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
