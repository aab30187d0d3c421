using Vgpu.Bus;

namespace Vgpu.Daemon.Tests;

/// <summary>What the daemon says is left, held against the instances that run.</summary>
internal static class Budgets
{
    /// <summary>Asserts that exactly these take of the budgets, and that every type's available_instances says what is left.</summary>
    public static void AssertAre(ParentView parent, IEnumerable<Api.Instance> instances)
    {
        List<Api.Instance> running = [.. instances.Where(instance => instance.State == InstanceState.Running)];
        Assert.Equal((ulong)running.Count, parent.Budgets["instances"].Used);
        Assert.Equal(running.Aggregate(0UL, (sum, instance) => sum + instance.MemoryLimit), parent.Budgets["memory"].Used);
        AssertAvailable(parent);
    }

    /// <summary>Asserts that every type's available_instances is what its parent's budgets leave of it.</summary>
    public static void AssertAvailable(ParentView parent) => Assert.All(parent.Types, type => Assert.Equal(
        Math.Min(Left(parent, "memory") / type.MemoryLimit, Left(parent, "instances")),
        (ulong)type.AvailableInstances));

    private static ulong Left(ParentView parent, string budget) => parent.Budgets[budget].Total - parent.Budgets[budget].Used;
}
