using System.Globalization;
using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>
/// What to add to a libvirt domain for a vGPU, and adding it. libvirt knows no vfio-user device yet, so the device goes in
/// by <c>qemu:commandline</c>; the memory backing is what shares the guest's memory with it; the metadata tell libvirt's hook
/// (<see cref="LibvirtHook"/>) which vGPU to start before QEMU.
/// </summary>
public static class LibvirtDomain
{
    private const int FirstSlot = 0x10;

    // From 0x1a on q35 has functions of the chipset, or may get them.
    private const int LastSlot = 0x19;

    /// <summary>The elements to merge into <c>&lt;domain type='kvm'&gt;</c>, as a domain of nothing else.</summary>
    /// <param name="attachment">The vGPU's socket.</param>
    /// <param name="vgpu">The vGPU for libvirt's hook; null: it is started some other way.</param>
    /// <param name="slot">A free slot number on pcie.0, 1 to 31.</param>
    /// <param name="beside">Further devices, in the slots after it on pcie.0.</param>
    public static string Fragment(VgpuAttachment attachment, LibvirtVgpu? vgpu = null, int slot = FirstSlot, params IEnumerable<VgpuAttachment> beside)
    {
        var domain = new XElement("domain", new XAttribute("type", "kvm"), new XAttribute(XNamespace.Xmlns + "qemu", LibvirtXml.Qemu));
        vgpu?.WriteTo(domain);
        domain.Add(LibvirtMemory.Shared());
        AddDevice(domain, attachment, attachment.Bus ?? "pcie.0", slot);
        foreach (VgpuAttachment other in beside)
        {
            AddDevice(domain, other, other.Bus ?? "pcie.0", ++slot);
        }

        return domain.ToString();
    }

    /// <summary>
    /// A whole domain with a vGPU merged into it, to define anew. Merged a second time it stays as it is; a vGPU of the same
    /// name or UUID is replaced, with its device.
    /// </summary>
    /// <param name="domainXml">What <c>virsh dumpxml --inactive</c> prints.</param>
    /// <param name="attachment">The vGPU's socket.</param>
    /// <param name="vgpu">The vGPU for libvirt's hook; null: it is started some other way.</param>
    /// <param name="beside">Further devices, such as its keyboard, each in a free slot; those that the domain has by now stay where they are.</param>
    /// <exception cref="LibvirtDomainException">It is no domain, its memory can't be shared, or it has no free slot.</exception>
    public static string Merge(TextReader domainXml, VgpuAttachment attachment, LibvirtVgpu? vgpu = null, params IEnumerable<VgpuAttachment> beside)
    {
        XElement domain = LibvirtXml.Read(domainXml);
        _ = LibvirtVgpu.ReadAll(domain);
        LibvirtMemory.Share(domain);
        IReadOnlyList<Guid> former = vgpu?.WriteTo(domain) ?? [];
        if (domain.GetPrefixOfNamespace(LibvirtXml.Qemu) is null)
        {
            domain.Add(new XAttribute(XNamespace.Xmlns + "qemu", LibvirtXml.Qemu));
        }

        VgpuAttachment[] wanted = [attachment, .. beside];
        string root = RootBus(domain);
        Dictionary<string, int> slots = TakeOut(domain, former, [.. wanted.Select(device => Path.GetFullPath(device.SocketPath))], attachment.Bus ?? root);
        foreach (VgpuAttachment device in wanted)
        {
            string bus = device.Bus ?? root;
            AddDevice(domain, device, bus, slots.TryGetValue(Path.GetFileName(device.SocketPath), out int slot) ? slot : FreeSlot(domain, bus, slots.Values));
        }

        return domain.ToString();
    }

    // Devices of these sockets, and of vGPUs that were there before: the daemon's sockets have the instance's UUID in their path.
    // Their slots by the name of the socket's file, which tells the vGPU from what is beside it.
    private static Dictionary<string, int> TakeOut(XElement domain, IReadOnlyList<Guid> former, string[] sockets, string bus)
    {
        var slots = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((XElement argument, var device) in LibvirtXml.Devices(domain).ToArray())
        {
            if (LibvirtXml.VfioUserSocket(device) is string path && (sockets.Contains(path) || former.Any(uuid => path.Contains(uuid.ToString("D"), StringComparison.Ordinal))))
            {
                if (LibvirtXml.SlotOn(device, bus) is int slot)
                {
                    slots.TryAdd(Path.GetFileName(path), slot);
                }

                argument.ElementsBeforeSelf().Last().Remove();
                argument.Remove();
            }
        }

        return slots;
    }

    private static void AddDevice(XElement domain, VgpuAttachment attachment, string bus, int slot)
    {
        Dictionary<string, object> device = attachment.ToQmp();
        device["bus"] = bus;
        device["addr"] = string.Create(CultureInfo.InvariantCulture, $"0x{slot:x}");
        XElement? commandLine = domain.Element(LibvirtXml.Qemu + "commandline");
        if (commandLine is null)
        {
            domain.Add(commandLine = new XElement(LibvirtXml.Qemu + "commandline"));
        }

        // libvirt wants arguments before environment variables.
        XElement[] pair = [Argument("-device"), Argument(PlainJson.ToText(device))];
        if (commandLine.Elements(LibvirtXml.Qemu + "arg").LastOrDefault() is XElement last)
        {
            last.AddAfterSelf(pair);
        }
        else
        {
            commandLine.AddFirst(pair);
        }
    }

    private static XElement Argument(string value) => new(LibvirtXml.Qemu + "arg", new XAttribute("value", value));

    // libvirt takes a machine without a name for QEMU's own default, which has conventional PCI.
    private static string RootBus(XElement domain)
    {
        string machine = (string?)domain.Element("os")?.Element("type")?.Attribute("machine") ?? "pc";
        return machine == "pc" || machine.StartsWith("pc-i440fx", StringComparison.Ordinal) ? "pci.0" : "pcie.0";
    }

    private static int FreeSlot(XElement domain, string bus, IEnumerable<int> kept)
    {
        IEnumerable<int?> ofLibvirt = domain.Descendants("address")
            .Where(address => (string?)address.Attribute("type") == "pci" && LibvirtXml.ParseNumber((string?)address.Attribute("bus") ?? "0") == 0)
            .Select(address => LibvirtXml.ParseNumber((string?)address.Attribute("slot") ?? "0"));
        HashSet<int?> used = [.. ofLibvirt, .. kept, .. LibvirtXml.Devices(domain).Select(device => LibvirtXml.SlotOn(device.Device, bus))];
        for (int slot = FirstSlot; slot <= LastSlot; slot++)
        {
            if (!used.Contains(slot))
            {
                return slot;
            }
        }

        throw new LibvirtDomainException($"the domain has no free slot for a vGPU among 0x{FirstSlot:x} to 0x{LastSlot:x} of {bus}; move a device elsewhere with 'virsh edit'");
    }
}
