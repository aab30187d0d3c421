using Microsoft.Extensions.Logging;
using Vgpu.Linux;

namespace Vgpu.Bus.Workers;

/// <summary>Every line that the daemon logs of its workers, and a worker of its daemon.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "the daemon at {Path} can't be reached: {Errno}")]
    internal static partial void NoDaemon(this ILogger logger, string path, Errno errno);

    [LoggerMessage(2, LogLevel.Information, "the daemon is gone; serving goes on, and the next daemon is looked for")]
    internal static partial void DaemonGone(this ILogger logger);

    [LoggerMessage(3, LogLevel.Warning, "worker {Pid} of {Name} died; another takes over")]
    internal static partial void WorkerDied(this ILogger logger, int pid, string name);

    [LoggerMessage(4, LogLevel.Information, "worker {Pid} of {Name} took over after {Milliseconds} ms")]
    internal static partial void WorkerTookOver(this ILogger logger, int pid, string name, long milliseconds);

    [LoggerMessage(5, LogLevel.Warning, "worker {Pid} of {Name} does not answer; it is ended, and another takes over")]
    internal static partial void WorkerStalled(this ILogger logger, int pid, string name);

    [LoggerMessage(6, LogLevel.Warning, "worker {Pid} is nobody's; it is ended")]
    internal static partial void WorkerUnexpected(this ILogger logger, int pid);

    [LoggerMessage(7, LogLevel.Warning, "worker {Pid} broke the protocol and is ended: {Reason}")]
    internal static partial void WorkerBroken(this ILogger logger, int pid, string reason);

    [LoggerMessage(8, LogLevel.Error, "can't start a worker: {Reason}")]
    internal static partial void SpawnFailed(this ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Information, "worker {Pid} of {Name} serves on from an earlier daemon")]
    internal static partial void WorkerAdopted(this ILogger logger, int pid, string name);

    [LoggerMessage(13, LogLevel.Error, "can't accept workers: {Reason}; they are tried again each second until that is mended, as by a higher limit of open files or fewer vGPUs")]
    internal static partial void NotAccepted(this ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Error, "the thread that watches workers failed, and goes on")]
    internal static partial void TurnFailed(this ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Warning, "worker {Pid} died before it had anything to serve; what it said last is above")]
    internal static partial void SpareDied(this ILogger logger, int pid);

    [LoggerMessage(14, LogLevel.Information, "worker {Pid} of {Name} is back; it left while this daemon read nothing for long")]
    internal static partial void WorkerReturned(this ILogger logger, int pid, string name);

    [LoggerMessage(15, LogLevel.Warning, "{Name} serves on without a share of the GPU that is kept: others' turns and its own are apart until it has another worker (vgpu upgrade)")]
    internal static partial void SharesNotAdopted(this ILogger logger, string name);

    [LoggerMessage(10, LogLevel.Error, "{Name} has ended {Count} workers in a row and is given up")]
    internal static partial void GivenUp(this ILogger logger, string name, int count);
}
