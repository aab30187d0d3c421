using System.Net;
using System.Net.Sockets;

namespace Vgpu.Viewers.Web;

/// <summary>
/// Slows down who shows wrong tokens: after <see cref="FreeMistakes"/>, every further one shuts the gate for that address,
/// for twice as long each time. Addresses are kept for an hour at most and so many at most; those beyond share one. Any thread.
/// </summary>
internal sealed class GuessGate(TimeProvider clock)
{
    internal const int FreeMistakes = 5;
    internal const int MostAddresses = 1024;

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_memory = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Record> _records = [];

    /// <summary>How long the address has to wait before a token is looked at; zero: not at all.</summary>
    internal TimeSpan Wait(IPAddress address)
    {
        lock (_lock)
        {
            TimeSpan wait = _records.TryGetValue(Known(address), out Record? record) ? record.OpensAt - clock.GetUtcNow() : TimeSpan.Zero;
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    /// <summary>The address has shown a wrong token; the result is how many by now.</summary>
    internal int Mistake(IPAddress address)
    {
        lock (_lock)
        {
            DateTimeOffset now = clock.GetUtcNow();
            IPAddress known = Known(address);
            if (!_records.TryGetValue(known, out Record? record) || now - record.OpensAt > s_memory)
            {
                _records[known] = record = new Record();
            }

            record.Mistakes++;
            int beyond = record.Mistakes - FreeMistakes;
            record.OpensAt = beyond <= 0 ? now : now + TimeSpan.FromSeconds(Math.Min(s_longest.TotalSeconds, Math.Pow(2, Math.Min(beyond - 1, 10))));
            return record.Mistakes;
        }
    }

    /// <summary>The address has shown a right one.</summary>
    internal void Forget(IPAddress address)
    {
        lock (_lock)
        {
            _ = _records.Remove(Prefix(address));
        }
    }

    // One that is new finds room where others have been quiet, or shares what all others share.
    private IPAddress Known(IPAddress address)
    {
        address = Prefix(address);
        if (_records.ContainsKey(address) || _records.Count < MostAddresses)
        {
            return address;
        }

        DateTimeOffset now = clock.GetUtcNow();
        foreach (IPAddress quiet in _records.Where(pair => now - pair.Value.OpensAt > s_memory).Select(pair => pair.Key).ToArray())
        {
            _ = _records.Remove(quiet);
        }

        return _records.Count < MostAddresses ? address : IPAddress.None;
    }

    // Whoever has one address of IPv6 has the 64 bits behind it.
    private static IPAddress Prefix(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return new IPAddress(bytes);
    }

    private sealed class Record
    {
        internal int Mistakes { get; set; }

        internal DateTimeOffset OpensAt { get; set; }
    }
}
