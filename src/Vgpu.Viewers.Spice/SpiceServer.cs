using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Spice.Interop;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// Shows one head of a screen to SPICE clients, through Debian's libspice-server: one client at a time, of which the
/// newest wins. The library is C that parses what strangers send: give it a process of its own
/// (<see cref="SpiceProgram"/>), which also has no more than one of these.
/// </summary>
public sealed class SpiceServer : IDisposable
{
    private const int SPICE_CHANNEL_EVENT_INITIALIZED = 2;
    private const int SPICE_CHANNEL_EVENT_DISCONNECTED = 3;
    private const int SPICE_CHANNEL_MAIN = 1;
    private const int SPICE_CHANNEL_INPUTS = 3;

    internal const string Missing = "libspice-server is missing; install it with: apt install libspice-server1";

    private readonly ILogger _log;
    private readonly SpiceServerOptions _options;
    private readonly SpiceLoop _loop;
    private readonly QxlDisplay _display;
    private readonly SpiceInput _input;
    private readonly SpiceDevices _devices;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _started = new();
    private UnixSocket? _listener;
    private SpiceHandover? _handover;
    private nint _server;
    private int _clients;
    private volatile bool _stopping;

    private SpiceServer(Screen screen, SpiceServerOptions options, ILogger log)
    {
        _log = log;
        _options = options;
        _loop = new SpiceLoop { ChannelChanged = NoteChannel };
        _display = new QxlDisplay(screen.Heads[options.Head], _loop, options.TakesInput);
        _input = new SpiceInput(screen, options.Head, options.TakesInput);
        _devices = new SpiceDevices(_input);
        _thread = new Thread(Run) { Name = "spice", IsBackground = true };
    }

    /// <summary>Whether the machine has the library.</summary>
    public static bool IsAvailable => LibSpice.IsThere;

    /// <summary>
    /// Listens, and serves until <see cref="Dispose"/>. Throws <see cref="SpiceException"/> where the library is missing or
    /// it can't be served so, and <see cref="InvalidOperationException"/> for a second one.
    /// </summary>
    public static SpiceServer Start(Screen screen, SpiceServerOptions options, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(screen);
        ArgumentNullException.ThrowIfNull(options);
        if (!IsAvailable)
        {
            throw new SpiceException(Missing);
        }

        options.Validate(screen.Heads.Count);
        var server = new SpiceServer(screen, options, log);
        server._thread.Start();
        try
        {
            server._started.Task.GetAwaiter().GetResult();
        }
        catch
        {
            server._thread.Join();
            throw;
        }

        log.Listening(options.Address.ToUri(options.Tls is not null));
        return server;
    }

    /// <summary>Ends it: clients are sent away, and what they held is let go. Returns once its threads have ended.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _loop.Wake();
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            Open();
            _started.SetResult();
            while (!_stopping)
            {
                if (_loop.Turn(_display.Update(), _listener?.Descriptor ?? _handover?.Descriptor))
                {
                    Accept();
                }
            }
        }
        catch (Exception e)
        {
            if (!_started.TrySetException(e is LinuxException ? new SpiceException($"can't listen at {_options.Address.ToUri(false)}: {e.Message}") : e))
            {
                _log.Failed(e);
                throw;
            }
        }
        finally
        {
            Close();
        }
    }

    private unsafe void Open()
    {
        LibraryLog.Take(_log);
        _server = LibSpice.New();
        LibSpice.SetName(_server, _options.Name);
        _ = _options.Password is null ? LibSpice.SetNoAuth(_server) : LibSpice.SetTicket(_server, _options.Password, 0, 0, 0);
        _ = LibSpice.SetImageCompression(_server, LibSpice.SPICE_IMAGE_COMPRESSION_AUTO_GLZ);
        _ = LibSpice.SetJpegCompression(_server, _options.IsLossless ? LibSpice.SPICE_WAN_COMPRESSION_NEVER : LibSpice.SPICE_WAN_COMPRESSION_AUTO);
        _ = LibSpice.SetStreamingVideo(_server, _options.IsLossless ? LibSpice.SPICE_STREAM_VIDEO_OFF : LibSpice.SPICE_STREAM_VIDEO_FILTER);
        _ = LibSpice.SetAgentMouse(_server, 0);
        _ = LibSpice.SetAgentCopyPaste(_server, 0);
        _ = LibSpice.SetAgentFileTransfer(_server, 0);
        SetAddress();
        if (LibSpice.Init(_server, _loop.Core) != 0)
        {
            throw new SpiceException(_options.Tls is null
                ? $"can't listen at {_options.Address.Tcp}; is something else there?"
                : $"can't listen at {_options.Address.Tcp}, or one of the TLS files is none that OpenSSL reads");
        }

        _devices.Attach(_server);
        _display.Attach(_server);
        LibSpice.VmStart(_server);
        if (_options.Address.Path is { } path)
        {
            _listener = UnixSocket.Listen(path);
        }
        else if (_options.Address.Handover is int number)
        {
            _handover = SpiceHandover.Inherit(number);
        }
    }

    private void SetAddress()
    {
        if (_options.Address.Tcp is not { } tcp)
        {
            return;
        }

        bool isV6 = tcp.AddressFamily == AddressFamily.InterNetworkV6;
        LibSpice.SetAddress(_server, tcp.Address.ToString(), isV6 ? LibSpice.SPICE_ADDR_FLAG_IPV6_ONLY : LibSpice.SPICE_ADDR_FLAG_IPV4_ONLY);
        int error = _options.Tls is { } tls
            ? LibSpice.SetTls(_server, tcp.Port, tls.AuthorityFile, tls.CertificateFile, tls.KeyFile, null, null, null)
            : LibSpice.SetPort(_server, tcp.Port);
        if (error != 0)
        {
            throw new SpiceException($"libspice-server does not take {_options.Address.ToUri(_options.Tls is not null)}");
        }
    }

    private void Accept()
    {
        if (_handover is not null)
        {
            if (!_handover.TryTake(out FileDescriptor? given, out bool isTrusted))
            {
                // Who hands over is gone, and ends this process by its standard input.
                _handover.Dispose();
                _handover = null;
            }
            else if (given is not null)
            {
                Add(given, isTrusted);
            }

            return;
        }

        using UnixSocket? client = _listener!.Accept();
        if (client is not null)
        {
            Add(client.Descriptor.Duplicate(), isTrusted: false);
        }
    }

    // The library closes what it takes.
    private void Add(FileDescriptor socket, bool isTrusted)
    {
        if (LibSpice.AddClient(_server, socket.Number, isTrusted ? 1 : 0) == 0)
        {
            socket.SetHandleAsInvalid();
        }

        socket.Dispose();
    }

    private void NoteChannel(int what, int type)
    {
        if (type == SPICE_CHANNEL_MAIN && what == SPICE_CHANNEL_EVENT_INITIALIZED)
        {
            _clients++;
            _log.ClientConnected();
        }
        else if (type == SPICE_CHANNEL_MAIN && what == SPICE_CHANNEL_EVENT_DISCONNECTED && _clients > 0)
        {
            _clients--;
            _log.ClientLeft();
        }
        else if (type == SPICE_CHANNEL_INPUTS && what == SPICE_CHANNEL_EVENT_DISCONNECTED)
        {
            _input.ReleaseAll();
        }

        _display.SetWatched(_clients > 0);
        _handover?.Report(_clients > 0);
    }

    private void Close()
    {
        if (_server != 0)
        {
            LibSpice.Destroy(_server);
        }

        _input.ReleaseAll();
        _listener?.Unlink();
        _listener?.Dispose();
        _handover?.Dispose();
        _display.Dispose();
        _devices.Dispose();
        _loop.Dispose();
    }
}
