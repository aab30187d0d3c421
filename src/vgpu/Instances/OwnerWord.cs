using System.Globalization;
using Vgpu.Linux;

namespace Vgpu.Cli;

/// <summary>An owner as it is typed: <c>USER:GROUP</c> by name or number, or <c>USER</c> with the user's own group.</summary>
internal readonly record struct OwnerWord(uint Uid, uint Gid)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}");

    /// <summary>Throws <see cref="OperatorException"/>.</summary>
    internal static OwnerWord Parse(string word)
    {
        int colon = word.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? word : word[..colon];
        (uint Uid, uint Gid)? account = Accounts.FindUser(user);
        uint uid = account?.Uid ?? Number(user) ?? throw new OperatorException($"there is no user '{user}'; an owner is USER:GROUP, by name or number");
        if (colon < 0)
        {
            return new OwnerWord(uid, account?.Gid ?? throw new OperatorException($"'{word}' says no group; write {word}:GROUP"));
        }

        string group = word[(colon + 1)..];
        return new OwnerWord(uid, Accounts.FindGroup(group) ?? Number(group) ?? throw new OperatorException($"there is no group '{group}'; an owner is USER:GROUP, by name or number"));
    }

    // The last one is chown(2)'s word for "as it is".
    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue ? number : null;
}
