namespace Vgpu.VfioUser;

/// <summary>What an operator may set of a <see cref="VfioUserServer"/>.</summary>
public sealed record VfioUserServerOptions
{
    /// <summary>What logs and thread names call the device; the socket's file name where null.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// How long a client may stay connected without completing VFIO_USER_VERSION before the next client replaces it.
    /// Checked only when a next client comes.
    /// </summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a device waits for the client's answer when it asks for memory that the client does not share:
    /// VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE.
    /// </summary>
    public TimeSpan ClientMemoryTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// From how many bytes on a DMA map is taken for the VM's RAM, and its not being shared is worth a warning. Smaller
    /// ones are ROMs, flash and the BARs of other devices.
    /// </summary>
    public ulong LargeMapSize { get; init; } = 16UL << 20;

    /// <summary>Told what of each client a successor of this process would need. Null: nobody.</summary>
    public IConnectionKeeper? Keeper { get; init; }

    /// <summary>
    /// With one, a client survives the death of this process (<see cref="VfioUserServer.Resume"/>). No other server has it at
    /// the time; it is disposed after the server. A client then gets no twin socket and no I/O descriptors of regions, and a
    /// device reaches memory that a client does not share only from threads of its own. Null: none.
    /// </summary>
    public ConnectionJournal? Journal { get; init; }
}
