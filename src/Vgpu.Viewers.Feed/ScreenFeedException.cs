using Vgpu.Linux;

namespace Vgpu.Viewers.Feed;

/// <summary>The server refused a request, or did not keep to the protocol.</summary>
public sealed class ScreenFeedException : IOException
{
    internal ScreenFeedException(string message, Errno errno = Errno.EPROTO)
        : base(message) => Errno = errno;

    /// <summary>What the server answered; EPROTO where it broke the protocol, ETIMEDOUT where it did not answer.</summary>
    public Errno Errno { get; }
}
