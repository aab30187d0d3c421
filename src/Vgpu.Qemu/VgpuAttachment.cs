using System.Globalization;

namespace Vgpu.Qemu;

/// <summary>
/// The QEMU arguments that attach one vGPU, and the memory that it needs to reach: QEMU 10.1 or newer,
/// <c>vfio-user-pci</c> (QEMU's docs/system/devices/vfio-user.rst).
/// </summary>
/// <param name="SocketPath">The vGPU's socket; relative ones are made absolute.</param>
public sealed record VgpuAttachment(string SocketPath)
{
    /// <summary>QEMU's name for the device, for <c>device_del</c>; none where null.</summary>
    public string? Id { get; init; }

    /// <summary>The bus to plug into, such as a pcie-root-port that allows hot-plug; QEMU's choice where null.</summary>
    public string? Bus { get; init; }

    /// <summary>The device's arguments, in QMP's terms.</summary>
    public Dictionary<string, object> ToQmp()
    {
        var arguments = new Dictionary<string, object>
        {
            ["driver"] = "vfio-user-pci",
            ["socket"] = new Dictionary<string, object> { ["path"] = Path.GetFullPath(SocketPath), ["type"] = "unix" },
        };
        if (Id is not null)
        {
            arguments["id"] = Id;
        }

        if (Bus is not null)
        {
            arguments["bus"] = Bus;
        }

        return arguments;
    }

    /// <summary>The value of <c>-device</c>, in QEMU's JSON form.</summary>
    public string ToDeviceJson() => PlainJson.ToText(ToQmp());

    /// <summary>
    /// Memory that QEMU shares with the vGPU. Without <c>share=on</c> the vGPU can't see the guest's memory and the
    /// guest gets no picture.
    /// </summary>
    public static IReadOnlyList<string> SharedMemory(long mebibytes) =>
    [
        "-object", string.Create(CultureInfo.InvariantCulture, $"memory-backend-memfd,id=mem0,size={mebibytes}M,share=on"),
        "-machine", "q35,memory-backend=mem0",
        "-m", string.Create(CultureInfo.InvariantCulture, $"{mebibytes}M"),
    ];

    /// <summary>A QMP socket at this path for what types into the VM; none where null.</summary>
    public static IReadOnlyList<string> Qmp(string? path) => path is null ? [] : ["-qmp", $"unix:{path},server=on,wait=off"];

    /// <summary>Everything that a VM of <paramref name="mebibytes"/> MiB needs for these vGPUs.</summary>
    public static IReadOnlyList<string> Arguments(long mebibytes, params IEnumerable<VgpuAttachment> attachments)
    {
        List<string> arguments = [.. SharedMemory(mebibytes)];
        foreach (VgpuAttachment attachment in attachments)
        {
            arguments.Add("-device");
            arguments.Add(attachment.ToDeviceJson());
        }

        return arguments;
    }
}
