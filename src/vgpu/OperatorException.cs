namespace Vgpu.Cli;

/// <summary>The operator asked for something that can't be: one line that says what is wrong and what mends it; exit status 2.</summary>
public sealed class OperatorException(string message) : Exception(message);
