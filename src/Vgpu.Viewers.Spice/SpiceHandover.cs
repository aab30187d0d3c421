using Vgpu.Linux;

namespace Vgpu.Viewers.Spice;

/// <summary>
/// A stream socket between who listens and the process that serves. One way a byte goes with each connection, which says
/// whether it has to show the password; the other way a byte says, whenever that changes, whether there is a client. Not
/// thread-safe.
/// </summary>
internal sealed class SpiceHandover(UnixSocket socket) : IDisposable
{
    private const byte Stranger = (byte)'s';
    private const byte Trusted = (byte)'t';
    private const byte Somebody = (byte)'1';
    private const byte Nobody = (byte)'0';
    private const int MostReports = 64;

    private bool _reported;

    internal FileDescriptor Descriptor => socket.Descriptor;

    /// <summary>The serving end, by the number of an inherited descriptor. Throws <see cref="LinuxException"/>.</summary>
    internal static SpiceHandover Inherit(int number)
    {
        // The one that was inherited would be inherited again.
        using var given = new FileDescriptor(number);
        return new SpiceHandover(new UnixSocket(given.Duplicate()));
    }

    /// <summary>Sends a connection, which stays the caller's; false where the other side is gone or does not keep up.</summary>
    internal bool TryGive(FileDescriptor connection, bool isTrusted) =>
        socket.TrySend([isTrusted ? Trusted : Stranger], [connection.Number]) == Errno.None;

    /// <summary>
    /// Takes a connection, once the descriptor can be read; none where this process has too many open. False where the
    /// other side is gone.
    /// </summary>
    internal bool TryTake(out FileDescriptor? connection, out bool isTrusted)
    {
        Span<byte> kind = stackalloc byte[1];
        Span<int> numbers = stackalloc int[1];
        int length = socket.Receive(kind, numbers, out int count, out Errno error);
        connection = count == 1 ? new FileDescriptor(numbers[0]) : null;
        isTrusted = length == 1 && kind[0] == Trusted;
        return length == 1 || error == Errno.EMSGSIZE;
    }

    /// <summary>Says whether there is a client, where that was not said last.</summary>
    internal void Report(bool isAnybody)
    {
        if (isAnybody != _reported)
        {
            _reported = isAnybody;
            _ = socket.TrySend([isAnybody ? Somebody : Nobody]);
        }
    }

    /// <summary>Hears the last report, once the descriptor can be read; null where the other side is gone.</summary>
    internal bool? Hear()
    {
        Span<byte> reports = stackalloc byte[MostReports];
        int length = socket.Receive(reports, [], out _, out _);
        return length > 0 ? reports[length - 1] == Somebody : null;
    }

    public void Dispose() => socket.Dispose();
}
