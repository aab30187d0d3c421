namespace Vgpu.Viewers.Rfb;

/// <summary>A viewer broke the protocol or a limit: its connection is closed, and the message is the reason that is logged.</summary>
internal sealed class RfbViolationException(string reason) : Exception(reason);
