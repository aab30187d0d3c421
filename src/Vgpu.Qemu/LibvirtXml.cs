using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;

namespace Vgpu.Qemu;

/// <summary>A domain's XML as libvirt writes it (libvirt's formatdomain): read within bounds, and what of it bears on vGPUs.</summary>
internal static class LibvirtXml
{
    internal static readonly XNamespace Qemu = "http://libvirt.org/schemas/domain/qemu/1.0";

    private const int MostCharacters = 4 << 20;

    // What libvirt writes before metadata; it takes elements in any order.
    private static readonly string[] s_first = ["name", "uuid", "genid", "title", "description"];

    /// <summary>The <c>domain</c> element. Throws <see cref="LibvirtDomainException"/> where there is none.</summary>
    internal static XElement Read(TextReader text)
    {
        try
        {
            using var reader = XmlReader.Create(text, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, MaxCharactersInDocument = MostCharacters });
            XElement root = XDocument.Load(reader).Root!;
            return root.Name == "domain"
                ? root
                : throw new LibvirtDomainException($"this is no domain's XML but a <{root.Name.LocalName}>; take that of 'virsh dumpxml --inactive DOMAIN'");
        }
        catch (XmlException e)
        {
            throw new LibvirtDomainException($"this is no domain's XML ({e.Message.ReplaceLineEndings(" ")}); take that of 'virsh dumpxml --inactive DOMAIN'");
        }
    }

    /// <summary>Adds an element where libvirt would write it: behind the names.</summary>
    internal static XElement AddEarly(XElement domain, XElement element)
    {
        if (domain.Elements().LastOrDefault(other => s_first.Contains(other.Name.LocalName) || other.Name == "metadata") is XElement before)
        {
            before.AddAfterSelf(element);
        }
        else
        {
            domain.AddFirst(element);
        }

        return element;
    }

    /// <summary>The values of all <c>-device</c> arguments that are JSON, with the argument that holds each.</summary>
    internal static IEnumerable<(XElement Argument, JsonElement Device)> Devices(XElement domain)
    {
        bool isDevice = false;
        foreach (XElement argument in domain.Elements(Qemu + "commandline").Elements(Qemu + "arg"))
        {
            string value = (string?)argument.Attribute("value") ?? string.Empty;
            if (isDevice && ParseObject(value) is JsonElement device)
            {
                yield return (argument, device);
            }

            isDevice = value is "-device" or "--device";
        }
    }

    /// <summary>The socket of a vfio-user device; null where it is another device.</summary>
    internal static string? VfioUserSocket(JsonElement device) =>
        Text(device, "driver") == "vfio-user-pci" && device.TryGetProperty("socket", out JsonElement socket) && socket.ValueKind == JsonValueKind.Object
            ? Text(socket, "path")
            : null;

    /// <summary>The slot of a device with a <c>bus</c> and an <c>addr</c>, where it is this bus.</summary>
    internal static int? SlotOn(JsonElement device, string bus) =>
        Text(device, "bus") == bus && Text(device, "addr") is string address ? ParseNumber(address.Split('.')[0]) : null;

    /// <summary>A number as libvirt and QEMU write those of PCI addresses: hexadecimal, with or without 0x.</summary>
    internal static int? ParseNumber(string text) =>
        int.TryParse(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static string? Text(JsonElement device, string name) =>
        device.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? ParseObject(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
