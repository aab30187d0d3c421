using System.Text.Json;

namespace Vgpu.Qemu;

/// <summary>
/// Plugging a vGPU into a VM that runs, and out of it again, over QMP (QEMU's docs/pcie.txt: only into a pcie-root-port, and
/// out only once the guest lets go). One thread at a time.
/// </summary>
/// <param name="qmp">The VM.</param>
public sealed class HotPlug(QmpClient qmp)
{
    private const string Devices = "/machine/peripheral";

    /// <summary>
    /// A root port with nothing in it, by its id. Throws <see cref="IOException"/> where there is none, with what to start the
    /// VM with.
    /// </summary>
    public string FindFreePort() => TryFindFreePort()
        ?? throw new IOException(Ports is not { Count: > 0 } ports
            ? "the VM has no pcie-root-port with an id; start it with: -device pcie-root-port,id=port1,chassis=1"
            : $"every pcie-root-port of the VM is in use ({string.Join(", ", ports)}); detach a device, or start the VM with one more");

    /// <summary>The same; null where there is none.</summary>
    public string? TryFindFreePort() =>
        Ports.FirstOrDefault(port => Children($"{Devices}/{port}/{port}").All(child => !child.Name.StartsWith("child[", StringComparison.Ordinal)));

    /// <summary>Whether the VM has a device that it calls so.</summary>
    public bool Has(string id) => Children(Devices).Any(child => child.Name == id);

    /// <summary>Plugs in. Throws <see cref="IOException"/> with QEMU's words.</summary>
    public void Add(VgpuAttachment attachment) => _ = qmp.Execute("device_add", attachment.ToQmp());

    /// <summary>
    /// Asks the guest to let go of the device, and waits until it has. Throws <see cref="IOException"/> with QEMU's words, and
    /// <see cref="TimeoutException"/> where it takes longer than <paramref name="limit"/>; the request stands then.
    /// </summary>
    public void Remove(string id, TimeSpan limit)
    {
        try
        {
            _ = qmp.Execute("device_del", new Dictionary<string, object> { ["id"] = id });
        }
        catch (QmpException e) when (e.Message.Contains("in the process of unplug", StringComparison.Ordinal))
        {
            // Asked for before.
        }

        JsonElement happened = qmp.WaitForEvent(limit, IsAboutIt);
        if (!happened.GetProperty("event").ValueEquals("DEVICE_DELETED"))
        {
            throw new IOException($"the guest does not let go of {id}; end what uses it in the guest, and try again");
        }

        bool IsAboutIt(JsonElement candidate) =>
            (candidate.GetProperty("event").ValueEquals("DEVICE_DELETED") || candidate.GetProperty("event").ValueEquals("DEVICE_UNPLUG_GUEST_ERROR"))
            && candidate.GetProperty("data").TryGetProperty("device", out JsonElement device) && device.ValueEquals(id);
    }

    private IReadOnlyList<string> Ports =>
        [.. Children(Devices).Where(child => child.Type is "child<pcie-root-port>" or "child<ioh3420>").Select(child => child.Name).Order(StringComparer.Ordinal)];

    private IEnumerable<(string Name, string Type)> Children(string path) =>
        qmp.Execute("qom-list", new Dictionary<string, object> { ["path"] = path }).EnumerateArray()
            .Select(member => (member.GetProperty("name").GetString()!, member.GetProperty("type").GetString()!));
}
