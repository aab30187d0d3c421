using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>
/// Guest memory that a vGPU can reach: libvirt's <c>memoryBacking</c> (formatdomain, "Memory Backing"), without which the
/// domain starts and its guest gets no picture.
/// </summary>
internal static class LibvirtMemory
{
    /// <summary>What a domain without any needs.</summary>
    internal static XElement Shared() => new("memoryBacking", Memfd(), Access());

    /// <summary>Adds what is missing and leaves what is there. Throws <see cref="LibvirtDomainException"/> where that forbids sharing.</summary>
    internal static void Share(XElement domain)
    {
        RefusePrivate(domain.Element("cpu")?.Element("numa")?.Elements("cell") ?? [], "memAccess", "a NUMA cell");
        RefusePrivate(domain.Element("devices")?.Elements("memory") ?? [], "access", "a memory device");
        XElement? backing = domain.Element("memoryBacking");
        if (backing is null)
        {
            LibvirtXml.AddEarly(domain, Shared());
            return;
        }

        RefusePrivate(backing.Elements("access"), "mode", "the domain's memoryBacking");
        XElement? source = backing.Element("source");
        if ((string?)source?.Attribute("type") is "anonymous")
        {
            throw new LibvirtDomainException("the domain's memoryBacking is anonymous, which QEMU can't share with a vGPU; make its source's type memfd");
        }

        bool isShared = backing.Element("access") is not null;
        if (source is null && !isShared && backing.Element("hugepages") is null)
        {
            backing.Add(Memfd());
        }

        if (!isShared)
        {
            backing.Add(Access());
        }
    }

    /// <summary>Whether the domain, as it is, shares its memory in any of the ways that libvirt or QEMU's own arguments know.</summary>
    internal static bool IsShared(XElement domain) =>
        (string?)domain.Element("memoryBacking")?.Element("access")?.Attribute("mode") == "shared"
        || (domain.Element("cpu")?.Element("numa")?.Elements("cell") ?? []).Any(cell => (string?)cell.Attribute("memAccess") == "shared")
        || domain.Elements(LibvirtXml.Qemu + "commandline").Elements(LibvirtXml.Qemu + "arg").Any(argument => ((string?)argument.Attribute("value") ?? string.Empty).Contains("memory-backend", StringComparison.Ordinal));

    private static XElement Memfd() => new("source", new XAttribute("type", "memfd"));

    private static XElement Access() => new("access", new XAttribute("mode", "shared"));

    private static void RefusePrivate(IEnumerable<XElement> elements, string attribute, string what)
    {
        if (elements.Any(element => (string?)element.Attribute(attribute) == "private"))
        {
            throw new LibvirtDomainException($"{what} says {attribute}='private', which keeps the guest's memory from a vGPU; make it 'shared'");
        }
    }
}
