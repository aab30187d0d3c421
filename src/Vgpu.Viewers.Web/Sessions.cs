using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Vgpu.Viewers.Web;

/// <summary>
/// RFB over WebSocket: lends a vGPU's screen for as long as the connection is there. So many at a time; what is sent waits
/// for the browser, and one that reads nothing for half a minute is dropped. Any thread.
/// </summary>
internal sealed partial class Sessions(IConsoleVgpus vgpus, IRfbEndpoint rfb, int most, ILogger log, CancellationToken end) : IDisposable
{
    // noVNC asks for none; older clients of websockify's ask for this.
    private const string SubProtocol = "binary";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _room = new(most);
    private readonly SemaphoreSlim _pictures = new(2);

    internal async Task Serve(HttpContext context, Guid uuid, Role role)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await Answers.Problem(context, StatusCodes.Status426UpgradeRequired, "this is a WebSocket that speaks RFB");
            return;
        }

        if (!_room.Wait(0, CancellationToken.None))
        {
            await Answers.Problem(context, StatusCodes.Status503ServiceUnavailable, $"{most} screens are watched already; close one");
            return;
        }

        try
        {
            ConsoleVgpu? vgpu = vgpus.List().FirstOrDefault(each => each.Uuid == uuid);
            using IConsoleScreen? screen = vgpu is null ? null : await Task.Run(() => vgpus.Open(uuid), context.RequestAborted);
            if (screen is null)
            {
                await Answers.Problem(context, StatusCodes.Status404NotFound, vgpu is null ? "there is no such vGPU" : $"{vgpu.Name} has no screen now");
                return;
            }

            await Serve(context, vgpu!, screen, role);
        }
        finally
        {
            _ = _room.Release();
        }
    }

    /// <summary>Work with a whole picture, two at a time, so that nobody fills memory by asking for many.</summary>
    internal async Task<T> InTurn<T>(Func<T> work, CancellationToken cancel)
    {
        await _pictures.WaitAsync(cancel);
        try
        {
            return await Task.Run(work, cancel);
        }
        finally
        {
            _ = _pictures.Release();
        }
    }

    public void Dispose()
    {
        _room.Dispose();
        _pictures.Dispose();
    }

    private async Task Serve(HttpContext context, ConsoleVgpu vgpu, IConsoleScreen screen, Role role)
    {
        string peer = $"{context.Connection.RemoteIpAddress} port {context.Connection.RemotePort} (browser)";
        string? protocol = context.WebSockets.WebSocketRequestedProtocols.Contains(SubProtocol) ? SubProtocol : null;
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, screen.Gone, end);
        await using var stream = new BoundedWebSocketStream(socket);
        LogBegin(log, peer, vgpu.Name, role == Role.Full ? "may type" : "views");
        try
        {
            await rfb.Serve(screen, vgpu.Name, role == Role.Full, stream, peer, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The browser, the vGPU or this server has ended it.
        }

        (WebSocketCloseStatus status, string why) = Reason(stream, screen, end);
        LogEnd(log, peer, vgpu.Name, why);
        await stream.Close(status, why, s_patience);
    }

    private static (WebSocketCloseStatus Status, string Why) Reason(BoundedWebSocketStream stream, IConsoleScreen screen, CancellationToken end) => stream.Offence switch
    {
        WebSocketCloseStatus.MessageTooBig => (WebSocketCloseStatus.MessageTooBig, $"a message of more than {BoundedWebSocketStream.MostMessageBytes >> 10} KiB"),
        WebSocketCloseStatus.InvalidMessageType => (WebSocketCloseStatus.InvalidMessageType, "a message of text"),
        WebSocketCloseStatus offence => (offence, "frames without a byte"),
        _ when screen.Gone.IsCancellationRequested => (WebSocketCloseStatus.EndpointUnavailable, "the vGPU has stopped"),
        _ when end.IsCancellationRequested => (WebSocketCloseStatus.EndpointUnavailable, "the console stops"),
        _ => (WebSocketCloseStatus.NormalClosure, "the session is over"),
    };

    [LoggerMessage(LogLevel.Information, "{Peer} sees {Name} and {What}")]
    private static partial void LogBegin(ILogger log, string peer, string name, string what);

    [LoggerMessage(LogLevel.Information, "{Peer} has left {Name}: {Why}")]
    private static partial void LogEnd(ILogger log, string peer, string name, string why);
}
