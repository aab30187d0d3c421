// A server that is one of several processes, one after the other, for the same client.
using Vgpu.Linux;

namespace Vgpu.VfioUser;

public sealed partial class VfioUserServer
{
    private readonly PollSet _waiting = new();
    private EventFd? _wake;

    /// <summary>
    /// Goes on with a client whose server was killed or has yielded, as the journal of the options says: opens the device,
    /// without a reset, gives it the client's maps and interrupts, calls <paramref name="restore"/>, and serves the client from
    /// the very byte on: what is due is answered once, and nothing is lost. Before <see cref="Start()"/>, which listens for
    /// the clients after it.
    /// </summary>
    /// <remarks>
    /// One message at most is carried out a second time: a predecessor may have died between its effect and the store that
    /// says so. A map or an unmap that was carried out is no error then. States of a migration and dirty pages are not gone on
    /// with: a client that moves a device at the time is refused by the successor, and begins anew.
    /// </remarks>
    /// <param name="client">Stays the caller's, who may dispose it afterwards: its descriptors are duplicated.</param>
    /// <param name="restore">
    /// Called on this thread, in any case, before the first message: loads the device's state. What it throws is thrown here.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// The journal or the client is not what a server of this device leaves. The client's socket is as it was.
    /// </exception>
    /// <exception cref="LinuxException">The device refused a map or an interrupt, or descriptors ran out.</exception>
    public void Resume(KeptClient client, Action? restore = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (_options.Journal is null)
        {
            throw new InvalidOperationException("no journal was given with the options");
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            if (_listener is not null || _client is not null)
            {
                throw new InvalidOperationException("started before");
            }

            var socket = new UnixSocket(client.Socket.Duplicate());
            VfioUserConnection? connection = null;
            try
            {
                connection = ConnectionOver(socket);
                connection.TakeOver(client, restore);
            }
            catch
            {
                connection?.Leave();
                socket.Dispose();
                throw;
            }

            Volatile.Write(ref _client, connection);
            connection.Start();
        }
    }

    /// <summary>
    /// Ends this server and leaves its client to a successor with the same journal: stops between two messages, with every
    /// reply sent, and neither closes the device nor ends the conversation. A device whose own threads ask the client for
    /// memory is stopped before (<see cref="Vfio.Migration.VfioMigration"/>). Needs a journal. Any thread but those of a
    /// connection.
    /// </summary>
    /// <returns>
    /// True: no message comes to the device any more, whose state can be saved. False: the client does not take its replies;
    /// <see cref="Stop"/> ends it, the end of this process leaves it to a successor, and another call waits again.
    /// </returns>
    public bool Yield(TimeSpan timeout)
    {
        if (_options.Journal is null)
        {
            throw new InvalidOperationException("no journal was given with the options");
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            _stopping.Set();
            StopListening();
        }

        _thread?.Join();
        return _client?.Yield(timeout) ?? true;
    }

    // _lock held.
    private void StopListening()
    {
        if (_wake is null)
        {
            _listener?.Unlink();
            _listener?.Shutdown();
        }
        else
        {
            _wake.Signal();
        }
    }

    // Of a socket that others have too nobody can end the wait but by a word of one's own.
    private bool WaitForClient()
    {
        if (_wake is null)
        {
            return true;
        }

        _waiting.Clear();
        int listener = _waiting.Add(_listener!.Descriptor, PollEvents.POLLIN);
        _ = _waiting.Add(_wake.Descriptor, PollEvents.POLLIN);
        return _waiting.Wait(-1) && !_stopping.IsSet && (_waiting.Ready(listener) & PollEvents.POLLIN) != 0;
    }
}
