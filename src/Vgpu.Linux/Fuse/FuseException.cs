namespace Vgpu.Linux;

/// <summary>Why there is no mount. The message is one line that says what is wrong and what mends it.</summary>
public sealed class FuseException(string message, Exception? cause = null) : IOException(message, cause);
