using System.Globalization;

namespace Vgpu.Bus;

/// <summary>An owner as the operator writes it: <c>user:group</c> by name or number; <c>user</c> alone with the user's own group.</summary>
public static class OwnerName
{
    /// <summary>Reads /etc/passwd and /etc/group. Invalid where the host has no such user or group.</summary>
    public static InstanceOwner Parse(string text)
    {
        string[] parts = text.Trim().Split(':');
        if (parts.Length > 2 || parts.Any(part => part.Length is 0 or > 64))
        {
            throw new BusException(BusError.Invalid, $"'{OneLine.Of(text, 64)}' is no owner: give user:group, by name or number");
        }

        string[]? user = Line("/etc/passwd", parts[0]);
        uint uid = user is null ? Number(parts[0], "user") : Number(user[2], "user");
        if (parts.Length == 2)
        {
            string[]? group = Line("/etc/group", parts[1]);
            return new InstanceOwner(uid, group is null ? Number(parts[1], "group") : Number(group[2], "group"));
        }

        return user is null
            ? throw new BusException(BusError.Invalid, $"the user {uid} has no name here and so no group: give user:group")
            : new InstanceOwner(uid, Number(user[3], "group"));
    }

    /// <summary>By number, as definitions keep it: <c>1000:1000</c>.</summary>
    public static string Format(InstanceOwner owner) => string.Create(CultureInfo.InvariantCulture, $"{owner.Uid}:{owner.Gid}");

    // passwd(5) and group(5): name:password:number:...
    private static string[]? Line(string file, string name)
    {
        int fieldsAtLeast = file == "/etc/passwd" ? 4 : 3;
        return !File.Exists(file)
            ? null
            : File.ReadLines(file).Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length >= fieldsAtLeast && fields[0] == name);
    }

    // (uid_t)-1 is no user: chown(2) reads it as "leave it".
    private static uint Number(string text, string what) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue
            ? number
            : throw new BusException(BusError.Invalid, $"this host has no {what} '{OneLine.Of(text, 64)}': give a {what} of /etc/{(what == "user" ? "passwd" : "group")}, or a number");
}
