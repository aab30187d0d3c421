using System.Text;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// One viewer: what it says is read and done by one task, what it is shown is made and written by another. It is shown more
/// once it has taken what it was sent, so a slow one gets fewer pictures and no queue grows.
/// </summary>
internal sealed partial class RfbSession : IFrameViewer, IDisposable
{
    private readonly RfbServer _server;
    private readonly RfbServerOptions _options;
    private readonly RfbPeer _peer;
    private readonly AsyncSignal _signal = new();
    private readonly Pacing _pacing = new();
    private readonly ViewerState _state = new();
    private readonly ViewerInput _input;
    private readonly CancellationTokenSource _end;
    private readonly Lock _inputLock = new();
    private Stream _stream;
    private ViewerOutput? _output;
    private string? _reason;

    internal RfbSession(RfbServer server, RfbServerOptions options, Screen screen, Stream stream, RfbPeer peer, CancellationToken end)
    {
        _server = server;
        _options = options;
        _peer = peer;
        _stream = stream;
        _input = new ViewerInput(screen, options.Head);
        _end = CancellationTokenSource.CreateLinkedTokenSource(end);
        IsViewOnly = peer.IsViewOnly;
    }

    public PendingChanges Changes { get; } = new();

    /// <summary>It may look only.</summary>
    internal bool IsViewOnly { get; private set; }

    private ScreenFrame Frame => _server.Frame;

    /// <summary>Serves it to the end; returns why it was closed, or null where it left.</summary>
    internal async Task<string?> Run(PasswordGuard guard)
    {
        try
        {
            return await Greet(guard) ?? await Serve();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && _reason is not null)
        {
            // Whichever of its tasks noticed first that it was closed.
            return _reason;
        }
        finally
        {
            await _end.CancelAsync();
            await _stream.DisposeAsync();
        }
    }

    public void Dispose()
    {
        _end.Dispose();
        _state.Dispose();
    }

    /// <summary>Closes it, with a reason for the log.</summary>
    internal void Close(string reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Lets go of all that it holds pressed, where it may no longer type.</summary>
    internal void ReleaseInput()
    {
        lock (_inputLock)
        {
            _input.ReleaseAll();
        }
    }

    public void Wake() => _signal.Set();

    public void CursorChanged()
    {
        Changes.CursorChanged();
        _signal.Set();
    }

    private async Task<string?> Greet(PasswordGuard guard)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        limit.CancelAfter(_options.Patience);
        var handshake = new RfbHandshake(_options, _peer, guard, _stream, limit.Token);
        try
        {
            await handshake.Run();
        }
        catch (OperationCanceledException) when (!_end.IsCancellationRequested)
        {
            return "it did not finish the handshake in time";
        }
        finally
        {
            _stream = handshake.Stream;
        }

        IsViewOnly |= handshake.IsViewOnly;
        if (!handshake.IsShared && _options.HonoursExclusive && !IsViewOnly)
        {
            _server.CloseOthers(this);
        }

        return null;
    }

    private async Task<string?> Serve()
    {
        using var output = new ViewerOutput(Frame, _state, Changes, _pacing, _options, Wake);
        _output = output;
        _server.Enter(this, _peer);
        try
        {
            await SendInit(output.Begin());
            Task<string?> reading = Read();
            Task<string?> writing = Write(output);
            Task<string?> first = await Task.WhenAny(reading, writing);
            await _end.CancelAsync();
            _signal.Set();
            await ((Task)(first == reading ? writing : reading)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await first ?? _reason;
        }
        finally
        {
            _server.Leave(this);
            ReleaseInput();
        }
    }

    private async Task SendInit((int Width, int Height) size)
    {
        using var init = new OutputBuffer();
        init.U16(size.Width);
        init.U16(size.Height);
        RfbPixelFormat.Native.Write(init.Take(RfbPixelFormat.Size));
        byte[] name = Encoding.UTF8.GetBytes(_options.Name);
        init.U32((uint)name.Length);
        init.Bytes(name);
        await _stream.WriteAsync(init.Written, _end.Token);
        await _stream.FlushAsync(_end.Token);
    }

    private async Task<string?> Read()
    {
        var parser = new ClientMessageParser(this);
        var buffer = new byte[ClientMessageParser.BufferSize];
        int length = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        while (true)
        {
            int count;
            try
            {
                count = await _stream.ReadAsync(buffer.AsMemory(length), limit.Token);
            }
            catch (OperationCanceledException) when (!_end.IsCancellationRequested)
            {
                return "it began a message and did not finish it in time";
            }

            if (count == 0)
            {
                return null;
            }

            bool wasIdle = length == 0 && !parser.IsSkipping;
            length += count;
            int done;
            lock (_inputLock)
            {
                done = parser.Parse(buffer.AsSpan(0, length));
            }

            length -= done;
            buffer.AsSpan(done, length).CopyTo(buffer);
            if (wasIdle || done != 0)
            {
                limit.CancelAfter(length != 0 || parser.IsSkipping ? _options.Patience : Timeout.InfiniteTimeSpan);
            }
        }
    }

    private async Task<string?> Write(ViewerOutput output)
    {
        var limit = new CancellationTokenSource();
        using CancellationTokenRegistration ended = _end.Token.Register(_signal.Set);
        try
        {
            while (true)
            {
                await _signal.Wait();
                while (!_end.IsCancellationRequested && output.Next())
                {
                    limit.CancelAfter(_options.Patience);
                    await _stream.WriteAsync(output.Bytes, limit.Token);
                    await _stream.FlushAsync(limit.Token);
                    limit.CancelAfter(Timeout.InfiniteTimeSpan);
                }

                if (_end.IsCancellationRequested)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return "it does not take what it asked for";
        }
        finally
        {
            limit.Dispose();
        }
    }
}
