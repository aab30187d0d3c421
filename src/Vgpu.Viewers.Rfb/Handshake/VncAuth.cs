using System.Security.Cryptography;
using System.Text;

#pragma warning disable CA5351 // The protocol has no other cipher.

namespace Vgpu.Viewers.Rfb;

/// <summary>
/// VNC Authentication (RFC 6143, 7.2.2): a challenge of 16 bytes, encrypted by DES with the password's first eight bytes. Weak,
/// and what every viewer knows: TLS goes around it where there is a certificate.
/// </summary>
internal static class VncAuth
{
    internal const int ChallengeSize = 16;

    private const int KeySize = 8;

    /// <summary>Whether DES takes this as a key: not empty, and none of the keys that are their own inverse.</summary>
    internal static bool IsUsable(string password) => password.Length != 0 && !DES.IsWeakKey(Key(password)) && !DES.IsSemiWeakKey(Key(password));

    /// <summary>Whether the answer was made with the password; takes as long whichever byte is wrong.</summary>
    internal static bool IsRight(ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> answer, string password) =>
        CryptographicOperations.FixedTimeEquals(Answer(challenge, password), answer);

    internal static byte[] Answer(ReadOnlySpan<byte> challenge, string password)
    {
        using DES des = DES.Create();
        des.Key = Key(password);
        return des.EncryptEcb(challenge, PaddingMode.None);
    }

    // The protocol's first programmers took the bits of each byte the other way round.
    private static byte[] Key(string password)
    {
        var key = new byte[KeySize];
        byte[] bytes = Encoding.UTF8.GetBytes(password);
        for (int i = 0; i < Math.Min(bytes.Length, KeySize); i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                key[i] |= (byte)(((bytes[i] >> bit) & 1) << (7 - bit));
            }
        }

        return key;
    }
}
