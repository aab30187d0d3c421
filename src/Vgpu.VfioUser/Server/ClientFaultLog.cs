using Microsoft.Extensions.Logging;
using Vgpu.Linux;
using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser.Server;

/// <summary>
/// Logs what one client did wrong, each kind once, and all clients together no faster than their server's
/// <see cref="LogGate"/> lets them. Connection thread only.
/// </summary>
internal sealed class ClientFaultLog(ILogger log, LogGate gate)
{
    private const int UnknownCommand = 0;

    // One bit a command.
    private uint _logged;

    /// <summary>A request was answered with an error. ENOTSUP is an honest answer to an honest question: debug only.</summary>
    internal void Refused(VfioUserCommand command, Errno errno)
    {
        uint bit = 1u << (Enum.IsDefined(command) ? (int)command : UnknownCommand);
        if ((_logged & bit) != 0)
        {
            return;
        }

        _logged |= bit;
        if (errno == Errno.ENOTSUP)
        {
            log.RequestNotSupported(command);
        }
        else if (gate.TryEnter())
        {
            log.RequestRefused(command, errno);
        }
    }
}
