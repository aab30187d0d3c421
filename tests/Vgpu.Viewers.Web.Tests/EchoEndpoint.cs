namespace Vgpu.Viewers.Web.Tests;

/// <summary>Sends back what comes, in the place of RFB.</summary>
internal sealed class EchoEndpoint : IRfbEndpoint
{
    private long _bytes;

    /// <summary>What has come so far.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    public async Task Serve(IConsoleScreen screen, string name, bool mayType, Stream stream, string peer, CancellationToken end)
    {
        var buffer = new byte[1000];
        while (await stream.ReadAsync(buffer, end) is int count and > 0)
        {
            _ = Interlocked.Add(ref _bytes, count);
            await stream.WriteAsync(buffer.AsMemory(0, count), end);
        }
    }
}
