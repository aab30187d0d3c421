namespace Vgpu.Viewers.Spice;

/// <summary>SPICE can't be served so: the message is one line for the operator, which says what to do.</summary>
public sealed class SpiceException(string message) : IOException(message);
