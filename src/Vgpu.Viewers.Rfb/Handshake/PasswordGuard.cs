namespace Vgpu.Viewers.Rfb;

/// <summary>
/// Slows down who guesses passwords: after a few wrong ones from an address, each further one closes the door for twice as
/// long, up to a bound, so that nobody can lock others of the same address out for ever. Keeps a bounded number of addresses.
/// Any thread.
/// </summary>
internal sealed class PasswordGuard
{
    internal const int Free = 4;

    private const int MaxAddresses = 1024;
    private const long FirstMilliseconds = 1000;
    private const long LongestMilliseconds = 16_000;
    private const long ForgetMilliseconds = 15 * 60_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Failures, long ClosedUntil, long Last)> _addresses = [];
    private readonly Func<long> _clock;

    /// <param name="clock">Milliseconds that only grow; null: the machine's.</param>
    internal PasswordGuard(Func<long>? clock = null) => _clock = clock ?? (static () => Environment.TickCount64);

    /// <summary>Whether this peer may try; it counts as a wrong try until <see cref="Succeeded"/>.</summary>
    internal bool TryBegin(string peer)
    {
        string address = AddressOf(peer);
        long now = _clock();
        lock (_lock)
        {
            (int failures, long closedUntil, long last) = _addresses.GetValueOrDefault(address);
            if (failures != 0 && now - last > ForgetMilliseconds)
            {
                (failures, closedUntil) = (0, 0);
            }

            if (failures != 0 && now < closedUntil)
            {
                return false;
            }

            if (_addresses.Count >= MaxAddresses && !_addresses.ContainsKey(address))
            {
                ForgetOldest();
            }

            failures = Math.Min(failures + 1, 64);
            long wait = failures <= Free ? 0 : Math.Min(LongestMilliseconds, FirstMilliseconds << Math.Min(failures - Free - 1, 10));
            _addresses[address] = (failures, now + wait, now);
            return true;
        }
    }

    internal void Succeeded(string peer)
    {
        lock (_lock)
        {
            _addresses.Remove(AddressOf(peer));
        }
    }

    private void ForgetOldest()
    {
        string? oldest = null;
        long least = long.MaxValue;
        foreach ((string address, (int _, long _, long last)) in _addresses)
        {
            if (last < least)
            {
                (oldest, least) = (address, last);
            }
        }

        _addresses.Remove(oldest!);
    }

    // Without the port, which is another one each time.
    private static string AddressOf(string peer)
    {
        int colon = peer.LastIndexOf(':');
        return colon > 0 && colon + 1 < peer.Length && peer.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? peer[..colon] : peer;
    }
}
