using Microsoft.Extensions.Logging;

namespace Vgpu.Bus;

/// <summary>Every line that the bus logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "{Name} ({Uuid}) runs")]
    internal static partial void Started(this ILogger logger, string name, Guid uuid);

    [LoggerMessage(2, LogLevel.Information, "{Name} ({Uuid}) is stopped")]
    internal static partial void Stopped(this ILogger logger, string name, Guid uuid);

    [LoggerMessage(3, LogLevel.Warning, "{Name} ({Uuid}) failed: {Problem}")]
    internal static partial void InstanceFailed(this ILogger logger, string name, Guid uuid, string problem);

    [LoggerMessage(4, LogLevel.Warning, "{Detail}")]
    internal static partial void SetAside(this ILogger logger, string detail);

    [LoggerMessage(5, LogLevel.Warning, "{Detail}")]
    internal static partial void OddOrder(this ILogger logger, string detail);

    [LoggerMessage(6, LogLevel.Warning, "the definitions can't be read again, those known stay: {Reason}")]
    internal static partial void NotRead(this ILogger logger, string reason);

    [LoggerMessage(7, LogLevel.Warning, "no worker of an earlier daemon was taken over: {Reason}")]
    internal static partial void NotAdopted(this ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Error, "who listens to events failed")]
    internal static partial void HandlerFailed(this ILogger logger, Exception failure);

    [LoggerMessage(9, LogLevel.Warning, "after a failure: {Reason}")]
    internal static partial void NotUndone(this ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Information, "{Count} vGPUs of an earlier daemon run on")]
    internal static partial void Adopted(this ILogger logger, int count);
}
