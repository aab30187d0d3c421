using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Host.Codecs;
using Vgpu.Linux;
using Vgpu.Screens;
using Vgpu.Viewers.Feed;
using Vgpu.Viewers.Rfb;
using Vgpu.Viewers.Spice;

namespace Vgpu.View;

/// <summary>One running instance: the mirror of its screen, and VNC and SPICE on it, with its addresses in a file for the daemon.</summary>
internal sealed class ShownVgpu : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly RemoteScreen _mirror;
    private readonly RfbServer _rfb;
    private readonly List<RfbListener> _listeners = [];
    private readonly string _addresses;
    private readonly SpiceDoor? _spice;

    /// <summary>Throws <see cref="LinuxException"/> and <see cref="ScreenFeedException"/> where its worker is not there.</summary>
    /// <param name="instance">Runs.</param>
    /// <param name="folder">For its sockets and addresses.</param>
    /// <param name="web">The browser's address of it, to look and type (false) or to look only (true).</param>
    /// <param name="spice">Null: not by SPICE.</param>
    /// <param name="log">What happens to viewers.</param>
    internal ShownVgpu(Instance instance, string folder, Func<Guid, bool, string?> web, ShownBySpice? spice, ILogger log)
    {
        Uuid = instance.Uuid;
        _addresses = ViewerPaths.AddressesOf(folder, Uuid);
        ViewerAddresses? former = Former(_addresses);
        string password = former?.VncPassword ?? Secrets.NewVncPassword();
        string viewOnly = former?.VncViewOnlyPassword ?? Secrets.NewVncPassword();
        InstancePaths paths = instance.Paths!;
        _mirror = RemoteScreen.Connect(paths.Screen, log);
        _rfb = new RfbServer(_mirror.Screen, new RfbServerOptions { Name = instance.Name, Password = password, ViewOnlyPassword = viewOnly, Codecs = PictureCodecs.Host }, log);
        try
        {
            string socket = ViewerPaths.VncSocketOf(folder, Uuid);
            _listeners.Add(RfbListener.Unix(_rfb, socket, log));
            if (instance.Owner is { } owner)
            {
                FileOwner.Set(socket, owner.Uid, owner.Gid);
            }

            _ = IPEndPoint.TryParse(former?.Vnc ?? string.Empty, out IPEndPoint? was);
            IPEndPoint? vnc = LoopbackPorts.Vnc.Listen(was, address => _listeners.Add(RfbListener.Tcp(_rfb, address, log)));
            ViewerAddresses now = new();
            if (spice is not null)
            {
                (_spice, now) = spice.Open(instance, folder, former);
            }

            now = now with
            {
                Web = web(Uuid, false),
                WebViewOnly = web(Uuid, true),
                Vnc = vnc?.ToString(),
                VncPassword = vnc is null ? null : password,
                VncViewOnlyPassword = vnc is null ? null : viewOnly,
                VncSocket = socket,
            };
            Secrets.Write(_addresses, JsonSerializer.SerializeToUtf8Bytes(now, ApiJson.Viewers));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal Guid Uuid { get; }

    internal Screen Screen => _mirror.Screen;

    /// <summary>Shows it to every viewer, whichever way it comes.</summary>
    internal RfbServer Rfb => _rfb;

    /// <summary>Cancelled when the instance no longer runs.</summary>
    internal CancellationToken Gone => _gone.Token;

    public void Dispose()
    {
        _gone.Cancel();
        _spice?.Dispose();
        _listeners.ForEach(listener => listener.Dispose());
        _rfb.Dispose();
        _mirror.Dispose();
        File.Delete(_addresses);
    }

    // Of a viewers' process before this one: who had an address finds it again.
    private static ViewerAddresses? Former(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ApiJson.Viewers);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }
}
