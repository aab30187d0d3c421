using System.Globalization;
using Vgpu.Api;
using Vgpu.Bus;
using Vgpu.Qemu;

namespace Vgpu.Cli;

/// <summary>The daemon's instances as libvirt's hook needs them.</summary>
/// <param name="client">Stays the caller's.</param>
internal sealed class DaemonVgpus(ApiClient client) : ILibvirtVgpus
{
    private const int NotFound = 404;

    public HookedVgpu? Find(string nameOrUuid)
    {
        try
        {
            return Of(client.Find(nameOrUuid));
        }
        catch (ApiException e) when (e.Status == NotFound)
        {
            return null;
        }
    }

    public HookedVgpu Make(LibvirtVgpu vgpu, string? owner) => Of(client.Create(new CreateBody
    {
        Parent = vgpu.Parent!,
        Type = vgpu.Type!,
        Uuid = vgpu.Uuid,
        Name = vgpu.Name,
        Persistent = false,
        Owner = owner is null ? null : ToBody(OwnerWord.Parse(owner)),
        Settings = vgpu.Settings.ToDictionary(setting => setting.Key, setting => ApiJson.ToElement(setting.Value), StringComparer.Ordinal),
    }));

    public HookedVgpu Start(string nameOrUuid, string? owner)
    {
        if (owner is not null && OwnerWord.Parse(owner).ToString() is string wanted && wanted != Of(client.Find(nameOrUuid)).Owner)
        {
            client.Set(nameOrUuid, new Dictionary<string, string?> { ["owner"] = wanted });
        }

        return Of(client.Start(nameOrUuid));
    }

    public void Stop(string nameOrUuid)
    {
        try
        {
            client.Stop(nameOrUuid);
        }
        catch (ApiException e) when (e.Status == NotFound)
        {
        }
    }

    private static HookedVgpu Of(Instance instance) => new()
    {
        Runs = instance.State == InstanceState.Running,
        ClientPid = instance.Worker?.ClientPid,
        Owner = instance.Owner is { } owner ? string.Create(CultureInfo.InvariantCulture, $"{owner.Uid}:{owner.Gid}") : null,
        SocketPath = instance.Paths?.Socket,
    };

    private static OwnerBody ToBody(OwnerWord owner) => new() { Uid = owner.Uid, Gid = owner.Gid };
}
