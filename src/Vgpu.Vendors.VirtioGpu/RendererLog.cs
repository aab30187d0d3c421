using Microsoft.Extensions.Logging;

namespace Vgpu.Vendors.VirtioGpu;

internal static partial class RendererLog
{
    [LoggerMessage(LogLevel.Error, "The renderer failed")]
    internal static partial void LogRendererFailed(this ILogger log, Exception exception);
}
