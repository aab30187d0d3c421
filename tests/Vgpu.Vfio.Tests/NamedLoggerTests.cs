using Microsoft.Extensions.Logging;
using Vgpu.Testing;

namespace Vgpu.Vfio.Tests;

public sealed class NamedLoggerTests
{
    [Fact]
    public void Each_line_has_the_name_once()
    {
        var log = new ListLogger();
        ILogger named = NamedLogger.For(NamedLogger.For(log, "vm1"), "vm1");
        named.LogWarning("{What} failed", "it");
        named.LogDebug("not asked for");
        Assert.Equal("vm1: it failed", Assert.Single(log.Lines));
    }
}
