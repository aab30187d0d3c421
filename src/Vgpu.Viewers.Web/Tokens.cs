using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vgpu.Viewers.Web;

/// <summary>
/// Who may come in: by a token, or by a ticket that was given for one and lies in a cookie. A ticket is the role, the
/// second in which it ends and an HMAC of both by a key of the token's own: nothing is kept here, tickets outlive this
/// process, and another token ends them all. Any thread.
/// </summary>
internal sealed class Tokens(string token, string? viewToken, TimeProvider clock)
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const int LongestTicket = 128;

    private readonly Key _full = new(token);
    private readonly Key? _view = viewToken is null ? null : new Key(viewToken);

    /// <summary>Null for a token that is none of ours. Takes the same time for any.</summary>
    internal Role? RoleOf(string shown)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(shown));
        bool full = CryptographicOperations.FixedTimeEquals(digest, _full.Digest);
        bool view = _view is not null && CryptographicOperations.FixedTimeEquals(digest, _view.Digest);
        return full ? Role.Full : view ? Role.View : null;
    }

    internal string Ticket(Role role)
    {
        long end = (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
        string text = string.Create(CultureInfo.InvariantCulture, $"{(role == Role.Full ? 'f' : 'v')}.{end}");
        return $"{text}.{Seal(role, text)}";
    }

    /// <summary>Null for one that is not ours, or has ended.</summary>
    internal Role? RoleOfTicket(string ticket)
    {
        if (ticket.Length > LongestTicket || ticket.Split('.') is not [string letter, string end, string seal])
        {
            return null;
        }

        Role role = letter == "f" ? Role.Full : Role.View;
        if (role == Role.View && _view is null)
        {
            return null;
        }

        bool isOurs = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(seal), Encoding.UTF8.GetBytes(Seal(role, $"{letter}.{end}")));
        return isOurs
            && long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out long second)
            && clock.GetUtcNow().ToUnixTimeSeconds() < second ? role : null;
    }

    private string Seal(Role role, string text) =>
        Base64Url.EncodeToString(HMACSHA256.HashData((role == Role.Full ? _full : _view!).Sealing, Encoding.UTF8.GetBytes(text)));

    private sealed class Key(string token)
    {
        internal byte[] Digest { get; } = SHA256.HashData(Encoding.UTF8.GetBytes(token));

        internal byte[] Sealing { get; } = HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "vgpu console ticket"u8);
    }
}
