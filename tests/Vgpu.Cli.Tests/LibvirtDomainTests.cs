using System.Xml.Linq;
using Vgpu.Qemu;

namespace Vgpu.Cli.Tests;

/// <summary>A vGPU merged into domains as operators have them.</summary>
public sealed class LibvirtDomainTests
{
    private const string Plain = """
        <domain type='kvm'>
          <name>desk</name>
          <uuid>e8dd3b0c-6850-43ab-9a55-a6cb9d65b760</uuid>
          <memory unit='MiB'>512</memory>
          <os><type arch='x86_64' machine='pc-q35-10.1'>hvm</type></os>
          <devices><memballoon model='none'/></devices>
        </domain>
        """;

    private static readonly XNamespace s_qemu = "http://libvirt.org/schemas/domain/qemu/1.0";

    private static readonly XNamespace s_vgpu = LibvirtVgpu.Namespace;

    private static readonly LibvirtVgpu s_desk = new()
    {
        Name = "desk",
        Uuid = Guid.Parse("6f1f2b6e-7a54-4c1f-9e3d-0d6f6a4a7f11"),
        Parent = "software0",
        Type = "virtio-gpu-256m",
        Settings = new SortedDictionary<string, string> { ["mode"] = "1920x1080" },
    };

    private static string Socket => SocketOf(s_desk.Uuid!.Value);

    [Fact]
    public void A_plain_domain_gets_metadata_memory_and_device()
    {
        var domain = XElement.Parse(Merge(Plain));

        Assert.True(
            XNode.DeepEquals(
                XElement.Parse("""
                    <vgpu:vgpus xmlns:vgpu="urn:vgpu:libvirt:1">
                      <vgpu:vgpu name="desk" uuid="6f1f2b6e-7a54-4c1f-9e3d-0d6f6a4a7f11" parent="software0" type="virtio-gpu-256m">
                        <vgpu:setting name="mode" value="1920x1080"/>
                      </vgpu:vgpu>
                    </vgpu:vgpus>
                    """),
                domain.Element("metadata")!.Elements().Single()),
            domain.ToString());
        Assert.Equal("""<memoryBacking><source type="memfd" /><access mode="shared" /></memoryBacking>""", domain.Element("memoryBacking")!.ToString(SaveOptions.DisableFormatting));
        Assert.Equal(["-device", Device(Socket, "pcie.0", "0x10")], Arguments(domain));
        Assert.Equal(XElement.Parse(Plain).Elements().Select(element => element.ToString()), domain.Elements().Where(element => XElement.Parse(Plain).Elements(element.Name).Any()).Select(element => element.ToString()));
    }

    [Fact]
    public void Merged_again_it_stays_as_it_is()
    {
        string once = Merge(Plain);

        Assert.Equal(once, Merge(once));
    }

    // Its definition was removed and made again: another UUID, and so another socket.
    [Fact]
    public void A_vgpu_made_anew_replaces_the_one_of_its_name()
    {
        LibvirtVgpu anew = s_desk with { Uuid = Guid.Parse("00000000-0000-4000-8000-000000000001"), Settings = new Dictionary<string, string>() };
        var domain = XElement.Parse(LibvirtDomain.Merge(new StringReader(Merge(Plain)), new VgpuAttachment(SocketOf(anew.Uuid!.Value)), anew));

        Assert.Equal(anew.Uuid.ToString(), (string?)Assert.Single(domain.Descendants(s_vgpu + "vgpu")).Attribute("uuid"));
        Assert.Empty(domain.Descendants(s_vgpu + "setting"));
        Assert.Equal(["-device", Device(SocketOf(anew.Uuid.Value), "pcie.0", "0x10")], Arguments(domain));
    }

    [Fact]
    public void What_the_domain_has_besides_is_kept()
    {
        string given = Plain
            .Replace("<domain type='kvm'>", "<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>", StringComparison.Ordinal)
            .Replace("<memory unit", "<!-- mine --><metadata><o:os xmlns:o='urn:other'>x</o:os></metadata><memory unit", StringComparison.Ordinal)
            .Replace("<memballoon model='none'/>", "<memballoon model='virtio'><address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/></memballoon><serial type='pty'><address type='isa' slot='0x13'/></serial>", StringComparison.Ordinal)
            .Replace(
                "</domain>",
                """
                <q:commandline><q:arg value='-device'/><q:arg value='{"driver":"edu","bus":"pcie.0","addr":"0x11.0"}'/><q:arg value='-device'/><q:arg value='edu'/><q:env name='A' value='b'/></q:commandline></domain>
                """,
                StringComparison.Ordinal);
        var domain = XElement.Parse(Merge(given));

        Assert.Equal("x", domain.Element("metadata")!.Element((XNamespace)"urn:other" + "os")!.Value);
        Assert.Contains("<!-- mine -->", domain.ToString(), StringComparison.Ordinal);
        Assert.Equal(["-device", """{"driver":"edu","bus":"pcie.0","addr":"0x11.0"}""", "-device", "edu", "-device", Device(Socket, "pcie.0", "0x12")], Arguments(domain));
        Assert.Equal("env", domain.Element(s_qemu + "commandline")!.Elements().Last().Name.LocalName);
        Assert.Single(domain.Attributes(), attribute => attribute.IsNamespaceDeclaration);
    }

    [Fact]
    public void Its_input_devices_come_beside_it_and_follow_it()
    {
        string once = LibvirtDomain.Merge(new StringReader(Merge(Plain)), new VgpuAttachment(Socket), s_desk, Inputs(Socket));
        Assert.Equal([Device(Socket, "pcie.0", "0x10"), Device(Socket + ".keyboard", "pcie.0", "0x11"), Device(Socket + ".tablet", "pcie.0", "0x12")], Devices(once));
        Assert.Equal(once, LibvirtDomain.Merge(new StringReader(once), new VgpuAttachment(Socket), s_desk, Inputs(Socket)));

        LibvirtVgpu anew = s_desk with { Uuid = Guid.Parse("00000000-0000-4000-8000-000000000001") };
        string other = SocketOf(anew.Uuid!.Value);
        Assert.Equal(
            [Device(other, "pcie.0", "0x10"), Device(other + ".keyboard", "pcie.0", "0x11"), Device(other + ".tablet", "pcie.0", "0x12")],
            Devices(LibvirtDomain.Merge(new StringReader(once), new VgpuAttachment(other), anew, Inputs(other))));

        static VgpuAttachment[] Inputs(string socket) => [new(socket + ".keyboard"), new(socket + ".tablet")];
        static string[] Devices(string domain) => [.. Arguments(XElement.Parse(domain)).Where(argument => argument != "-device")];
    }

    [Fact]
    public void Two_vgpus_have_two_slots()
    {
        LibvirtVgpu second = s_desk with { Name = "desk-2", Uuid = Guid.Parse("00000000-0000-4000-8000-000000000002") };
        var domain = XElement.Parse(LibvirtDomain.Merge(new StringReader(Merge(Plain)), new VgpuAttachment("/b.sock"), second));

        Assert.Equal(["desk", "desk-2"], domain.Descendants(s_vgpu + "vgpu").Select(vgpu => (string?)vgpu.Attribute("name")));
        Assert.Single(domain.Descendants(s_vgpu + "vgpus"));
        Assert.Equal(["-device", Device(Socket, "pcie.0", "0x10"), "-device", Device("/b.sock", "pcie.0", "0x11")], Arguments(domain));
    }

    [Theory]
    [InlineData("machine='pc-i440fx-10.1'", "pci.0")]
    [InlineData("", "pci.0")]
    [InlineData("machine='q35'", "pcie.0")]
    public void The_machine_s_own_bus_is_taken(string machine, string bus) =>
        Assert.Equal(Device(Socket, bus, "0x10"), Arguments(XElement.Parse(Merge(Plain.Replace("machine='pc-q35-10.1'", machine, StringComparison.Ordinal))))[1]);

    [Theory]
    [InlineData("<source type='file'/><access mode='shared'/>", "<source type='file'/><access mode='shared'/>")]
    [InlineData("<hugepages/><locked/>", "<hugepages/><locked/><access mode='shared'/>")]
    [InlineData("<nosharepages/>", "<nosharepages/><source type='memfd'/><access mode='shared'/>")]
    [InlineData("<access mode='shared'/>", "<access mode='shared'/>")]
    public void Memory_that_is_there_is_kept(string given, string expected)
    {
        var domain = XElement.Parse(Merge(Plain.Replace("<os>", $"<memoryBacking>{given}</memoryBacking><os>", StringComparison.Ordinal)));

        Assert.Equal(XElement.Parse($"<m>{expected}</m>").Elements().Select(element => element.ToString()), domain.Element("memoryBacking")!.Elements().Select(element => element.ToString()));
    }

    [Theory]
    [InlineData("<os>", "<memoryBacking><access mode='private'/></memoryBacking><os>", "the domain's memoryBacking says mode='private', which keeps the guest's memory from a vGPU; make it 'shared'")]
    [InlineData("<os>", "<memoryBacking><source type='anonymous'/></memoryBacking><os>", "the domain's memoryBacking is anonymous, which QEMU can't share with a vGPU; make its source's type memfd")]
    [InlineData("<os>", "<cpu><numa><cell memory='1' memAccess='private'/></numa></cpu><os>", "a NUMA cell says memAccess='private'")]
    [InlineData("<memballoon", "<memory model='dimm' access='private'/><memballoon", "a memory device says access='private'")]
    [InlineData("<domain type='kvm'>", "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain type='kvm'>", "this is no domain's XML (")]
    [InlineData("</domain>", "", "this is no domain's XML (")]
    [InlineData("<os>", "<metadata><v:vgpus xmlns:v='urn:vgpu:libvirt:1'><v:vgpu name='../x'/></v:vgpus></metadata><os>", "has no name, or one that can't be")]
    [InlineData("<os>", "<metadata><v:vgpus xmlns:v='urn:vgpu:libvirt:1'><v:vgpu name='x'/><v:vgpu name='x'/></v:vgpus></metadata><os>", "name a vGPU twice")]
    [InlineData("<os>", "<metadata><v:vgpus xmlns:v='urn:vgpu:libvirt:1'><v:vgpu name='x' uuid='1'/></v:vgpus></metadata><os>", "has no UUID in its uuid")]
    [InlineData("<os>", "<metadata><v:vgpus xmlns:v='urn:vgpu:libvirt:1'><v:vgpu name='x' type='t'/></v:vgpus></metadata><os>", "only one of parent and type")]
    public void What_can_t_be_is_one_line(string part, string replacement, string line)
    {
        string message = Assert.Throws<LibvirtDomainException>(() => Merge(Plain.Replace(part, replacement, StringComparison.Ordinal))).Message;

        Assert.Contains(line, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_bus_without_a_free_slot_is_one_line()
    {
        string devices = string.Concat(Enumerable.Range(0x10, 10).Select(slot => $"<hub><address type='pci' bus='0x00' slot='0x{slot:x}'/></hub>"));

        Assert.Contains(
            "no free slot for a vGPU among 0x10 to 0x19 of pcie.0",
            Assert.Throws<LibvirtDomainException>(() => Merge(Plain.Replace("<memballoon", devices + "<memballoon", StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);
    }

    private static string Merge(string domain) => LibvirtDomain.Merge(new StringReader(domain), new VgpuAttachment(Socket), s_desk);

    private static string SocketOf(Guid uuid) => $"/run/vgpu/instances/{uuid:D}/vfio-user.sock";

    private static string Device(string socket, string bus, string slot) =>
        $$"""{"driver":"vfio-user-pci","socket":{"path":"{{socket}}","type":"unix"},"bus":"{{bus}}","addr":"{{slot}}"}""";

    private static string[] Arguments(XElement domain) => [.. domain.Element(s_qemu + "commandline")!.Elements(s_qemu + "arg").Select(argument => argument.Attribute("value")!.Value)];
}
