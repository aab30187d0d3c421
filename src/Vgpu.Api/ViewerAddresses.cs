namespace Vgpu.Api;

/// <summary>Where an instance's screen can be seen, with what it takes to be let in. Each is null where there is no such viewer.</summary>
public sealed record ViewerAddresses
{
    /// <summary>The browser's console, opened at this instance. The token in it opens every vGPU's: only for who may see all.</summary>
    public string? Web { get; init; }

    /// <summary>The same for who may look and not type. The token in it shows every vGPU's screen: only for who may see all.</summary>
    public string? WebViewOnly { get; init; }

    /// <summary>VNC over TCP, HOST:PORT.</summary>
    public string? Vnc { get; init; }

    /// <summary>What that asks for.</summary>
    public string? VncPassword { get; init; }

    /// <summary>What lets somebody in there who may look and not type.</summary>
    public string? VncViewOnlyPassword { get; init; }

    /// <summary>VNC over a Unix socket, which its mode protects.</summary>
    public string? VncSocket { get; init; }

    /// <summary>SPICE over TCP: an address that remote-viewer takes.</summary>
    public string? Spice { get; init; }

    /// <summary>What that asks for.</summary>
    public string? SpicePassword { get; init; }

    /// <summary>SPICE over a Unix socket, which its mode protects: an address that remote-viewer takes.</summary>
    public string? SpiceSocket { get; init; }
}
