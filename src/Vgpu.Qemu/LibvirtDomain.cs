using System.Globalization;
using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>
/// What to add to a libvirt domain for a vGPU. libvirt knows no vfio-user device yet, so the device goes in by
/// <c>qemu:commandline</c>; the memory backing is what shares the guest's memory with it.
/// </summary>
public static class LibvirtDomain
{
    private static readonly XNamespace s_qemu = "http://libvirt.org/schemas/domain/qemu/1.0";

    /// <summary>The elements to merge into <c>&lt;domain type='kvm'&gt;</c>, as a domain of nothing else.</summary>
    /// <param name="attachment">The vGPU.</param>
    /// <param name="slot">A free slot number on pcie.0, 1 to 31.</param>
    public static string Fragment(VgpuAttachment attachment, int slot = 16)
    {
        Dictionary<string, object> device = attachment.ToQmp();
        device["bus"] = attachment.Bus ?? "pcie.0";
        device["addr"] = string.Create(CultureInfo.InvariantCulture, $"0x{slot:x}");
        var domain = new XElement(
            "domain",
            new XAttribute("type", "kvm"),
            new XAttribute(XNamespace.Xmlns + "qemu", s_qemu),
            new XElement("memoryBacking", new XElement("source", new XAttribute("type", "memfd")), new XElement("access", new XAttribute("mode", "shared"))),
            new XElement(
                s_qemu + "commandline",
                new XElement(s_qemu + "arg", new XAttribute("value", "-device")),
                new XElement(s_qemu + "arg", new XAttribute("value", PlainJson.ToText(device)))));
        return domain.ToString();
    }
}
