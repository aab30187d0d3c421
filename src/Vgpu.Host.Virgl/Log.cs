using Microsoft.Extensions.Logging;

namespace Vgpu.Host.Virgl;

/// <summary>Every line that the renderer logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "rendering by {Name}")]
    internal static partial void Renders(this ILogger logger, string name);

    [LoggerMessage(2, LogLevel.Warning, "libvirglrenderer: {Line}")]
    internal static partial void LibrarySaid(this ILogger logger, string line);
}
