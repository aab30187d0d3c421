namespace Vgpu.Testing;

/// <summary>What a path that several threads share allocates, counted over the whole process.</summary>
public static class Allocations
{
    private const int Windows = 20;

    /// <summary>
    /// Runs <paramref name="work"/> up to 20 times and returns the bytes of the quietest time: the runner and the runtime
    /// may allocate in one or another, a path that allocates does so in every one. Nothing else may run beside it: the tests
    /// of other classes allocate all the time.
    /// </summary>
    public static long Least(Action work)
    {
        long least = long.MaxValue;
        for (int window = 0; window < Windows && least > 0; window++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            work();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least;
    }
}
