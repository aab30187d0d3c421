namespace Vgpu.Fuzz;

/// <summary>An input showed a fault: what a target must hold did not hold.</summary>
public sealed class FindingException(string message) : Exception(message)
{
    /// <summary>Throws unless the condition holds.</summary>
    public static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new FindingException(otherwise);
        }
    }
}
