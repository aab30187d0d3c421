namespace Vgpu.Viewers.Rfb;

/// <summary>Who a viewer is, as far as whoever accepted it knows.</summary>
/// <param name="Name">For the log and for counting wrong passwords: an address, with its port or without.</param>
public sealed record RfbPeer(string Name)
{
    /// <summary>It has shown who it is elsewhere, such as by a token: it is asked for neither password nor TLS.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>It may look only, whatever the options say.</summary>
    public bool IsViewOnly { get; init; }
}
