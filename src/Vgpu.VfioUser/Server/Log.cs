using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>Every line that a server logs; the logger puts the device's name before it.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "listening at {Path}")]
    internal static partial void Listening(this ILogger logger, string path);

    [LoggerMessage(2, LogLevel.Information, "client connected, pid {Pid}")]
    internal static partial void ClientConnected(this ILogger logger, int pid);

    [LoggerMessage(3, LogLevel.Information, "client left after {Requests} messages")]
    internal static partial void ClientLeft(this ILogger logger, long requests);

    [LoggerMessage(4, LogLevel.Warning, "refused a second client, pid {Pid}: one is served at a time")]
    internal static partial void SecondClient(this ILogger logger, int pid);

    [LoggerMessage(5, LogLevel.Warning, "closed the connection of pid {Pid}: {Reason}")]
    internal static partial void ClientClosed(this ILogger logger, int pid, string reason);

    [LoggerMessage(6, LogLevel.Warning, "refused {Command} with {Errno} (further ones are not logged)")]
    internal static partial void RequestRefused(this ILogger logger, VfioUserCommand command, Errno errno);

    [LoggerMessage(7, LogLevel.Debug, "does not support {Command}")]
    internal static partial void RequestNotSupported(this ILogger logger, VfioUserCommand command);

    [LoggerMessage(8, LogLevel.Error, "the device failed; closing its client's connection")]
    internal static partial void DeviceFailed(this ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "accept failed: {Reason}; trying again")]
    internal static partial void AcceptFailed(this ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Warning,
        "the VM's RAM is not shared with the vGPU, which can read none of it. Start QEMU with: "
        + "-object memory-backend-memfd,id=mem0,size=SIZE,share=on -machine memory-backend=mem0")]
    internal static partial void MemoryNotShared(this ILogger logger);

    [LoggerMessage(11, LogLevel.Warning,
        "the VM's RAM is mapped privately (share=off): what the guest writes is not seen. Start QEMU with: "
        + "-object memory-backend-memfd,id=mem0,size=SIZE,share=on -machine memory-backend=mem0")]
    internal static partial void MemoryPrivate(this ILogger logger);

    [LoggerMessage(12, LogLevel.Error, "can't listen: {Reason}")]
    internal static partial void ListenFailed(this ILogger logger, string reason);

    [LoggerMessage(13, LogLevel.Information, "goes on with the client of another process, pid {Pid}")]
    internal static partial void ClientResumed(this ILogger logger, int pid);
}
