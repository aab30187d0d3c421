using System.Security.Cryptography;
using System.Text;

namespace Vgpu.View;

/// <summary>Passwords and tokens: made once, kept in files that only this user reads.</summary>
internal static class Secrets
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string Letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    // VNC's cipher takes no more (RFC 6143, 7.2.2).
    private const int VncLength = 8;
    private const int SpiceLength = 20;
    private const int TokenLength = 32;

    internal static string NewVncPassword() => RandomNumberGenerator.GetString(Letters, VncLength);

    internal static string NewSpicePassword() => RandomNumberGenerator.GetString(Letters, SpiceLength);

    /// <summary>The token in a file, or a new one there. Throws <see cref="IOException"/>.</summary>
    internal static string Token(string path)
    {
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: >= TokenLength } token)
        {
            return token;
        }

        token = RandomNumberGenerator.GetString(Letters, TokenLength);
        Write(path, Encoding.ASCII.GetBytes(token + "\n"));
        return token;
    }

    /// <summary>Puts a file in place, whole, with mode 0600.</summary>
    internal static void Write(string path, ReadOnlySpan<byte> content)
    {
        string next = path + ".new";
        File.Delete(next);
        using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
        {
            file.Write(content);
        }

        File.Move(next, path, overwrite: true);
    }
}
