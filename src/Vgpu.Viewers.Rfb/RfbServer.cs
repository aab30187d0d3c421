using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Vgpu.Screens;

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Shows one head of a screen to VNC viewers: RFB 3.3, 3.7 and 3.8 (RFC 6143) with the community's extensions (rfbproto).
/// It knows no socket: see <see cref="RfbListener"/>. Any thread.
/// </summary>
public sealed class RfbServer : IDisposable
{
    private const int LinesInAWhile = 20;

    private readonly Screen _screen;
    private readonly RfbServerOptions _options;
    private readonly ILogger _log;
    private readonly PasswordGuard _guard = new();
    private readonly LogBudget _lines = new(LinesInAWhile, TimeSpan.FromSeconds(30));
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private RfbSession[] _sessions = [];
    private int _served;

    /// <summary>
    /// Throws <see cref="ArgumentException"/>, with a message for the operator, for a head that is not there, for a password
    /// that DES can't take, and for one of two passwords without the other.
    /// </summary>
    public RfbServer(Screen screen, RfbServerOptions options, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(screen);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)options.Head, (uint)screen.Heads.Count, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxViewers, nameof(options));
        if (options.MaxFramesPerSecond is < 1 or > 1000)
        {
            throw new ArgumentException("A viewer is sent 1 to 1000 pictures a second.", nameof(options));
        }

        if (options is { ViewOnlyPassword: not null, Password: null })
        {
            throw new ArgumentException("A password for looking needs one for typing beside it.", nameof(options));
        }

        if ((options.Password is string password && !VncAuth.IsUsable(password)) || (options.ViewOnlyPassword is string other && !VncAuth.IsUsable(other)))
        {
            throw new ArgumentException("VNC's cipher can't take this password: choose another one.", nameof(options));
        }

        _screen = screen;
        _options = options;
        _log = log;
        Frame = new ScreenFrame(screen.Heads[options.Head], options.Codecs, options.Clock);
    }

    /// <summary>Whether a viewer needs a password.</summary>
    public bool HasPassword => _options.Password is not null;

    /// <summary>Viewers that see the screen now.</summary>
    public int ViewerCount => Volatile.Read(ref _sessions).Length;

    internal ScreenFrame Frame { get; }

    internal int MaxViewers => _options.MaxViewers;

    /// <summary>As the other, for a viewer of which nothing but where it came from is known.</summary>
    public Task Serve(Stream stream, string peer, CancellationToken end) => Serve(stream, new RfbPeer(peer), end);

    /// <summary>
    /// Serves one viewer over any stream of two ways, to its end; the stream is closed then. Never throws: why a viewer was
    /// closed is logged. Beyond <see cref="RfbServerOptions.MaxViewers"/> it is closed at once.
    /// </summary>
    public async Task Serve(Stream stream, RfbPeer peer, CancellationToken end)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(peer);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(end, _end.Token);
        try
        {
            if (Interlocked.Increment(ref _served) > _options.MaxViewers)
            {
                await stream.DisposeAsync();
                Closed(peer, $"{_options.MaxViewers} others are there");
                return;
            }

            using var session = new RfbSession(this, _options, _screen, stream, peer, both.Token);
            Closed(peer, await session.Run(_guard));
        }
        catch (Exception e) when (e is RfbViolationException or AuthenticationException)
        {
            Closed(peer, e.Message);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It left, or was made to.
        }
#pragma warning disable CA1031 // Whatever goes wrong with one viewer is kept from the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.Fault(e, peer.Name);
        }
        finally
        {
            Interlocked.Decrement(ref _served);
        }
    }

    /// <summary>Closes every viewer.</summary>
    public void Dispose() => _end.Cancel();

    internal void Enter(RfbSession session, RfbPeer peer)
    {
        lock (_lock)
        {
            Volatile.Write(ref _sessions, [.. _sessions, session]);
        }

        Frame.Add(session);
        _log.ViewerCame(peer.Name, _options.Head);
    }

    internal void Leave(RfbSession session)
    {
        Frame.Remove(session);
        lock (_lock)
        {
            Volatile.Write(ref _sessions, [.. _sessions.Where(other => other != session)]);
        }
    }

    internal void CloseOthers(RfbSession session)
    {
        foreach (RfbSession other in Volatile.Read(ref _sessions))
        {
            if (other != session)
            {
                other.Close("another viewer asked to be alone");
            }
        }
    }

    internal bool MayType(RfbSession session) => !session.IsViewOnly && _options.Typing switch
    {
        RfbTyping.Everybody => true,
        RfbTyping.First => Array.Find(Volatile.Read(ref _sessions), other => !other.IsViewOnly) == session,
        _ => false,
    };

    internal void Closed(RfbPeer peer, string? reason)
    {
        if (reason is null)
        {
            _log.ViewerLeft(peer.Name);
        }
        else if (_lines.TryTake(out int skipped))
        {
            if (skipped != 0)
            {
                _log.MoreClosed(skipped);
            }

            _log.ViewerClosed(peer.Name, reason);
        }
    }
}
