using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>A command that the server refused, or a conversation that broke while it waited for the reply.</summary>
public sealed class VfioUserException : IOException
{
    /// <summary>What was asked, the errno, and what went wrong in words.</summary>
    public VfioUserException(VfioUserCommand command, Errno errno, string reason)
        : base($"{command}: {reason} ({errno})")
    {
        Command = command;
        Errno = errno;
    }

    /// <summary>What was asked.</summary>
    public VfioUserCommand Command { get; }

    /// <summary>
    /// The server's errno; EPROTO for a reply that does not fit the request, ECONNRESET where the server hung up,
    /// ETIMEDOUT where no reply came in time.
    /// </summary>
    public Errno Errno { get; }
}
