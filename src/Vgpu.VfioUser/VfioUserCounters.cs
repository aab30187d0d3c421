using Vgpu.VfioUser.Messages;

namespace Vgpu.VfioUser;

/// <summary>
/// How many messages of each command came, and how many region accesses, since the server was made. Written by the
/// connection's thread, read by any: a reader sees each number whole, and not all of them of one moment.
/// </summary>
public sealed class VfioUserCounters
{
    private const int Commands = 32;

    private readonly long[] _requests = new long[Commands];
    private readonly long[] _reads;
    private readonly long[] _writes;

    internal VfioUserCounters(int regions)
    {
        _reads = new long[regions];
        _writes = new long[regions];
    }

    /// <summary>Messages of <paramref name="command"/> that came whole, refused ones too. 0 for unknown commands.</summary>
    public long Requests(VfioUserCommand command) => (int)command < Commands ? Volatile.Read(ref _requests[(int)command]) : 0;

    /// <summary>Messages that came whole, of every command.</summary>
    public long TotalRequests
    {
        get
        {
            long total = 0;
            for (int i = 0; i < Commands; i++)
            {
                total += Volatile.Read(ref _requests[i]);
            }

            return total;
        }
    }

    /// <summary>VFIO_USER_REGION_READ messages for a region that the device has. Accesses to a mapped region send none.</summary>
    public long RegionReads(int region) => Volatile.Read(ref _reads[region]);

    /// <summary>VFIO_USER_REGION_WRITE messages, and entries of _WRITE_MULTI, for a region that the device has.</summary>
    public long RegionWrites(int region) => Volatile.Read(ref _writes[region]);

    /// <summary>Replies that were errors, or would have been if a reply had been wanted.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    private long _refusals;

    internal void CountRequest(VfioUserCommand command) => Add(ref _requests[(int)command < Commands ? (int)command : 0]);

    internal void CountRead(int region) => Add(ref _reads[region]);

    internal void CountWrite(int region) => Add(ref _writes[region]);

    internal void CountRefusal() => Add(ref _refusals);

    // One writer at a time: no read-modify-write of the processor is needed.
    private static void Add(ref long counter) => Volatile.Write(ref counter, counter + 1);
}
