using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>
/// Which vGPU a libvirt domain wants, as its metadata say (libvirt's formatdomain, "General metadata": one element of a
/// namespace, which libvirt keeps and does not read), for <see cref="LibvirtHook"/> to start or to make.
/// </summary>
public sealed record LibvirtVgpu
{
    /// <summary>The namespace of the metadata; the hook's script looks for it.</summary>
    public const string Namespace = "urn:vgpu:libvirt:1";

    private const int MostVgpus = 16;

    private static readonly XNamespace s_space = Namespace;

    /// <summary>The instance's name: 1 to 64 of letters, digits, '-', '_' and '.', not beginning with '.' or '-'.</summary>
    public required string Name { get; init; }

    /// <summary>The instance's identity, on which its socket's path depends; any where null.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>The parent to make it on where it is not defined; null: it must be defined.</summary>
    public string? Parent { get; init; }

    /// <summary>The type to make it of; null where <see cref="Parent"/> is.</summary>
    public string? Type { get; init; }

    /// <summary>What differs from the type, where it is made.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>All that a domain wants, in order. Throws <see cref="LibvirtDomainException"/>.</summary>
    internal static IReadOnlyList<LibvirtVgpu> ReadAll(XElement domain)
    {
        List<LibvirtVgpu> all = [.. (domain.Element("metadata")?.Elements(s_space + "vgpus").Elements(s_space + "vgpu") ?? []).Take(MostVgpus + 1).Select(Read)];
        if (all.Count > MostVgpus)
        {
            throw new LibvirtDomainException($"the domain's metadata want more than {MostVgpus} vGPUs; take some away with 'virsh edit'");
        }

        return all.Select(vgpu => vgpu.Name).Distinct(StringComparer.Ordinal).Count() == all.Count
            ? all
            : throw new LibvirtDomainException("the domain's metadata name a vGPU twice; take one away with 'virsh edit'");
    }

    /// <summary>Puts it into the domain's metadata, in place of those of its name or identity, whose identities it returns.</summary>
    internal IReadOnlyList<Guid> WriteTo(XElement domain)
    {
        XElement metadata = domain.Element("metadata") ?? LibvirtXml.AddEarly(domain, new XElement("metadata"));
        XElement? list = metadata.Element(s_space + "vgpus");
        if (list is null)
        {
            metadata.Add(list = new XElement(s_space + "vgpus", new XAttribute(XNamespace.Xmlns + "vgpu", s_space)));
        }

        XElement[] former = [.. list.Elements(s_space + "vgpu").Where(IsThis)];
        if (former.Length == 0)
        {
            list.Add(ToXml());
            return [];
        }

        Guid[] uuids = [.. former.Select(element => (string?)element.Attribute("uuid")).OfType<string>().Select(Guid.Parse)];
        former[0].ReplaceWith(ToXml());
        former[1..].Remove();
        return uuids;
    }

    private static LibvirtVgpu Read(XElement element)
    {
        string name = (string?)element.Attribute("name") ?? string.Empty;
        if (!IsName(name))
        {
            throw new LibvirtDomainException("a vGPU in the domain's metadata has no name, or one that can't be; give it one of 1 to 64 letters, digits, '-', '_' and '.' with 'virsh edit'");
        }

        string? uuid = (string?)element.Attribute("uuid");
        if (uuid is not null && !Guid.TryParseExact(uuid, "D", out _))
        {
            throw new LibvirtDomainException($"the vGPU '{name}' in the domain's metadata has no UUID in its uuid; mend it with 'virsh edit'");
        }

        string? parent = (string?)element.Attribute("parent");
        string? type = (string?)element.Attribute("type");
        if (parent is null != type is null)
        {
            throw new LibvirtDomainException($"the vGPU '{name}' in the domain's metadata has only one of parent and type; give it both or none with 'virsh edit'");
        }

        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (XElement setting in element.Elements(s_space + "setting"))
        {
            if ((string?)setting.Attribute("name") is not { Length: > 0 } key || (string?)setting.Attribute("value") is not string value || !settings.TryAdd(key, value))
            {
                throw new LibvirtDomainException($"a setting of the vGPU '{name}' in the domain's metadata has no name or no value, or is there twice; mend it with 'virsh edit'");
            }
        }

        return new LibvirtVgpu { Name = name, Uuid = uuid is null ? null : Guid.Parse(uuid), Parent = parent, Type = type, Settings = settings };
    }

    // The bus checks it too, but the hook makes a file's name of it first.
    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && name[0] is not ('.' or '-') && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private bool IsThis(XElement element) =>
        (string?)element.Attribute("name") == Name || (Uuid is Guid uuid && Guid.TryParse((string?)element.Attribute("uuid"), out Guid other) && other == uuid);

    private XElement ToXml() => new(
        s_space + "vgpu",
        new XAttribute("name", Name),
        Uuid is Guid uuid ? new XAttribute("uuid", uuid) : null,
        Parent is null ? null : new XAttribute("parent", Parent),
        Type is null ? null : new XAttribute("type", Type),
        Settings.Select(setting => new XElement(s_space + "setting", new XAttribute("name", setting.Key), new XAttribute("value", setting.Value))));
}
