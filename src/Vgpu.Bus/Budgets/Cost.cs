namespace Vgpu.Bus.Budgets;

/// <summary>What a running instance takes of its parent's budgets.</summary>
internal readonly record struct Cost(ulong Memory, ulong Instances, ulong Heads)
{
    /// <summary>What has room for both, one after the other.</summary>
    internal Cost Or(Cost other) => new(Math.Max(Memory, other.Memory), Math.Max(Instances, other.Instances), Math.Max(Heads, other.Heads));

    internal ulong Of(string budget) => budget switch
    {
        Parent.MemoryBudget => Memory,
        Parent.InstancesBudget => Instances,
        _ => Heads,
    };
}
