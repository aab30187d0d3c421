using Microsoft.Extensions.Logging;

namespace Vgpu.Viewers.Spice;

/// <summary>Every line that the SPICE server logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "SPICE at {Uri}")]
    internal static partial void Listening(this ILogger logger, string uri);

    [LoggerMessage(2, LogLevel.Information, "SPICE client connected")]
    internal static partial void ClientConnected(this ILogger logger);

    [LoggerMessage(3, LogLevel.Information, "SPICE client left")]
    internal static partial void ClientLeft(this ILogger logger);

    [LoggerMessage(4, LogLevel.Error, "SPICE ended by a failure of ours")]
    internal static partial void Failed(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "libspice-server: {Line}")]
    internal static partial void LibrarySaid(this ILogger logger, string line);

    [LoggerMessage(6, LogLevel.Warning, "the SPICE process of {Name} ended {How}; the next client has another started")]
    internal static partial void Died(this ILogger logger, string name, string how);

    [LoggerMessage(7, LogLevel.Warning, "{Name} can't be shown by SPICE now: {Why}")]
    internal static partial void NotServed(this ILogger logger, string name, string why);

    [LoggerMessage(8, LogLevel.Warning, "{Name} can't be shown by SPICE now: as many screens as may be are looked at")]
    internal static partial void Full(this ILogger logger, string name);
}
