using Microsoft.Extensions.Logging;

namespace Vgpu.Viewers.Rfb;

/// <summary>Every line that the server logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "VNC viewers are served at {Address}")]
    internal static partial void Listening(this ILogger logger, string address);

    [LoggerMessage(2, LogLevel.Information, "VNC viewer {Peer} looks at head {Head}")]
    internal static partial void ViewerCame(this ILogger logger, string peer, int head);

    [LoggerMessage(3, LogLevel.Information, "VNC viewer {Peer} left")]
    internal static partial void ViewerLeft(this ILogger logger, string peer);

    [LoggerMessage(4, LogLevel.Warning, "closed VNC viewer {Peer}: {Reason}")]
    internal static partial void ViewerClosed(this ILogger logger, string peer, string reason);

    [LoggerMessage(5, LogLevel.Warning, "closed {Count} more VNC viewers without a line")]
    internal static partial void MoreClosed(this ILogger logger, int count);

    [LoggerMessage(6, LogLevel.Error, "VNC viewer {Peer} met a fault of ours")]
    internal static partial void Fault(this ILogger logger, Exception fault, string peer);

    [LoggerMessage(7, LogLevel.Warning, "accepting VNC viewers failed: {Reason}; trying again")]
    internal static partial void AcceptFailed(this ILogger logger, string reason);
}
