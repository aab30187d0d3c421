namespace Vgpu.Api;

/// <summary>The daemon refused, or is not there. The message is one line that says what is wrong and what mends it.</summary>
/// <param name="status">The HTTP status; 0 where there was no answer.</param>
/// <param name="message">The line.</param>
/// <param name="cause">What went wrong on the way.</param>
public sealed class ApiException(int status, string message, Exception? cause = null) : IOException(message, cause)
{
    /// <summary>The HTTP status; 0 where there was no answer.</summary>
    public int Status { get; } = status;
}
