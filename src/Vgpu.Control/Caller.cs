using Microsoft.AspNetCore.Connections.Features;
using Vgpu.Bus;
using Vgpu.Linux;

namespace Vgpu.Control;

/// <summary>Where a request came in.</summary>
internal enum Door
{
    /// <summary>The mode of this socket says who may come; whoever could connect may do everything.</summary>
    ReadWrite,

    /// <summary>Open to every user of the machine; shows, and changes nothing.</summary>
    ReadOnly,

    /// <summary>TCP: metrics alone.</summary>
    Metrics,
}

/// <summary>Who is at the other end of a connection, as the kernel said when it was made.</summary>
/// <param name="Door">Where it came in.</param>
/// <param name="Uid">The user.</param>
/// <param name="Groups">The user's groups, the primary one first.</param>
/// <param name="IsAdministrator">Root, or the daemon's own user.</param>
/// <param name="SeesAll">Shown what belongs to others too.</param>
internal sealed record Caller(Door Door, uint Uid, IReadOnlyList<uint> Groups, bool IsAdministrator, bool SeesAll)
{
    /// <summary>From the socket of a connection. Throws <see cref="LinuxException"/>.</summary>
    /// <param name="connection">The connection's features.</param>
    /// <param name="door">Not <see cref="Door.Metrics"/>.</param>
    /// <param name="group">The group whose members see all; null where there is none.</param>
    internal static Caller Of(IConnectionSocketFeature connection, Door door, uint? group)
    {
        PeerCredentials peer = SocketPeer.Of(connection.Socket.SafeHandle);
        uint[] groups = [peer.Gid, .. SocketPeer.GroupsOf(connection.Socket.SafeHandle)];
        bool administrator = peer.Uid == 0 || peer.Uid == Accounts.OwnUid;
        bool member = group is uint number && groups.Contains(number);
        return new Caller(door, peer.Uid, groups, administrator, administrator || member || door == Door.ReadWrite);
    }

    internal bool Sees(InstanceView instance) => SeesAll || instance.Definition.Owner?.Uid == Uid;

    /// <summary>Whose a new instance is: the caller's own, unless an administrator asks. Throws <see cref="BusException"/>.</summary>
    internal InstanceOwner? OwnerOf(CreateRequest request)
    {
        if (IsAdministrator)
        {
            return request.Owner;
        }

        var owner = request.Owner ?? new InstanceOwner(Uid, Groups[0]);
        return owner.Uid == Uid && Groups.Contains(owner.Gid)
            ? owner
            : throw new BusException(BusError.Forbidden, $"only root may make instances for others; leave the owner out, and it is yours ({Uid}:{Groups[0]})");
    }

    /// <summary>Throws <see cref="BusException"/> where these settings are not this caller's to change.</summary>
    internal void MayChange(IReadOnlyDictionary<string, string?> settings)
    {
        if (!IsAdministrator && settings.ContainsKey("owner"))
        {
            throw new BusException(BusError.Forbidden, "only root may give an instance away");
        }
    }
}
