using System.Net.WebSockets;

namespace Vgpu.Viewers.Web;

/// <summary>
/// A WebSocket's binary messages (RFC 6455) as a stream of bytes, as noVNC and websockify speak it: where a message ends
/// means nothing. What came and was not read is one buffer at most; a write waits until the kernel has taken it. One reader
/// and one writer at a time. What a peer must not send ends the stream as if it had closed, and <see cref="Offence"/> says why;
/// the framework's own stream takes text, messages without end and frames without bytes.
/// </summary>
internal sealed class BoundedWebSocketStream(WebSocket socket) : Stream
{
    /// <summary>The longest message, in bytes: noVNC sends 10 KiB at a time.</summary>
    internal const int MostMessageBytes = 256 << 10;

    /// <summary>The most frames without a byte in a row.</summary>
    internal const int MostEmptyFrames = 64;

    private const int BufferBytes = 16 << 10;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _from;
    private int _to;

    // A receive that is cancelled takes the whole WebSocket with it: one that nobody waits for any more is left to go on.
    private Task<ValueWebSocketReceiveResult>? _receiving;
    private int _messageBytes;
    private int _emptyFrames;

    /// <summary>Why the stream was ended here; null where it was not.</summary>
    internal WebSocketCloseStatus? Offence { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_from == _to && !buffer.IsEmpty)
        {
            if (Offence is not null || !Take(await Received(cancellationToken)))
            {
                return 0;
            }
        }

        int count = Math.Min(buffer.Length, _to - _from);
        _buffer.AsSpan(_from, count).CopyTo(buffer.Span);
        _from += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return;
        }

        try
        {
            await socket.SendAsync(buffer, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("The WebSocket is closed.", e);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// Says why it is over, and waits for the peer to have read that, no longer than <paramref name="patience"/>: to close
    /// before takes it away from a peer that is still sending. Neither read nor written afterwards.
    /// </summary>
    internal async Task Close(WebSocketCloseStatus status, string why, TimeSpan patience)
    {
        using var end = new CancellationTokenSource(patience);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(status, why, end.Token);
            }

            while (socket.State == WebSocketState.CloseSent && (await Received(end.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or InvalidOperationException)
        {
            socket.Abort();
        }
    }

    // False where the stream is at its end.
    private bool Take(ValueWebSocketReceiveResult received)
    {
        if (received.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        _messageBytes += received.Count;
        _emptyFrames = received.Count == 0 ? _emptyFrames + 1 : 0;
        Offence = received.MessageType == WebSocketMessageType.Text ? WebSocketCloseStatus.InvalidMessageType
            : _messageBytes > MostMessageBytes ? WebSocketCloseStatus.MessageTooBig
            : _emptyFrames > MostEmptyFrames ? WebSocketCloseStatus.PolicyViolation
            : null;
        if (received.EndOfMessage)
        {
            _messageBytes = 0;
        }

        (_from, _to) = (0, Offence is null ? received.Count : 0);
        return Offence is null;
    }

    private async Task<ValueWebSocketReceiveResult> Received(CancellationToken cancel)
    {
        _receiving ??= Receive();
        ValueWebSocketReceiveResult received = await _receiving.WaitAsync(cancel);
        _receiving = null;
        return received;
    }

    // A peer that breaks the protocol, or is gone without a word, has closed.
    private async Task<ValueWebSocketReceiveResult> Receive()
    {
        try
        {
            return await socket.ReceiveAsync(_buffer.AsMemory(), CancellationToken.None);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            return new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, endOfMessage: true);
        }
    }
}
