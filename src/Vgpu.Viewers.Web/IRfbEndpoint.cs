namespace Vgpu.Viewers.Web;

/// <summary>What speaks with a browser once it has a screen.</summary>
internal interface IRfbEndpoint
{
    /// <summary>Serves one browser to its end.</summary>
    Task Serve(IConsoleScreen screen, string name, bool mayType, Stream stream, string peer, CancellationToken end);
}
