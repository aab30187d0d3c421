namespace Vgpu.Api;

/// <summary>What the viewers' process keeps in the daemon's run folder.</summary>
public static class ViewerPaths
{
    /// <summary>The folder, within the run folder; mode 0711: sockets in it are their owners'.</summary>
    public const string Folder = "viewers";

    /// <summary>The file of an instance's <see cref="ViewerAddresses"/>; mode 0600.</summary>
    public static string AddressesOf(string folder, Guid uuid) => Path.Combine(folder, $"{uuid:D}.json");

    /// <summary>An instance's VNC socket; its owner's, mode 0600.</summary>
    public static string VncSocketOf(string folder, Guid uuid) => Path.Combine(folder, $"{uuid:D}.vnc");

    /// <summary>An instance's SPICE socket; its owner's, mode 0600.</summary>
    public static string SpiceSocketOf(string folder, Guid uuid) => Path.Combine(folder, $"{uuid:D}.spice");

    /// <summary>The file that the viewers' process holds for as long as it lives, with its number in it.</summary>
    public static string LockOf(string folder) => Path.Combine(folder, "lock");

    /// <summary>The port that the browser's console had last, in decimal.</summary>
    public static string WebPortOf(string folder) => Path.Combine(folder, "port");

    /// <summary>The browser console's token; mode 0600.</summary>
    public static string TokenOf(string folder) => Path.Combine(folder, "token");

    /// <summary>The browser console's token for who may look and not type; mode 0600.</summary>
    public static string ViewTokenOf(string folder) => Path.Combine(folder, "view-token");
}
