using Vgpu.Bus.Settings;
using Vgpu.Gpus;

namespace Vgpu.Bus.Tests;

/// <summary>What is asked of the bus is checked once, at its door.</summary>
public sealed class DoorTests
{
    private static readonly VgpuType s_type = new("virtio-gpu-64m", "a type", 4, 64 << 20);
    private static readonly VgpuType s_renders = new("renders", "a type that renders", 4, 64 << 20) { Renders = true };

    [Theory]
    [InlineData("memory_limit", "67108864", "67108864")]
    [InlineData("memory_limit", "65536k", "67108864")]
    [InlineData("memory_limit", "64M", "67108864")]
    [InlineData("memory_limit", " 1g\n", "1073741824")]
    [InlineData("mode", "1920x1080", "1920x1080")]
    [InlineData("mode", "0064x064", "64x64")]
    [InlineData("heads", "04", "4")]
    [InlineData("interrupts", "msix", "msix")]
    [InlineData("guest_blobs", "on", "on")]
    [InlineData("qmp", " /run/vm 1.qmp\n", "/run/vm 1.qmp")]
    [InlineData("qmp", "", "")]
    public void A_value_has_one_spelling(string name, string value, string canonical) =>
        Assert.Equal(canonical, Setting.Find(name)!.Canonical(value, s_type));

    [Theory]
    [InlineData("memory_limit", "")]
    [InlineData("memory_limit", "m")]
    [InlineData("memory_limit", "-1")]
    [InlineData("memory_limit", "1048575")]
    [InlineData("memory_limit", "64mb")]
    [InlineData("memory_limit", "18446744073709551616")]
    [InlineData("memory_limit", "18014398509481985k")]
    [InlineData("memory_limit", "9223372036854775808")]
    [InlineData("memory_limit", "６４m")]
    [InlineData("mode", "1920")]
    [InlineData("mode", "1920x")]
    [InlineData("mode", "1920x1080x2")]
    [InlineData("mode", "63x1080")]
    [InlineData("mode", "16385x1080")]
    [InlineData("mode", "4294967296x1080")]
    [InlineData("heads", "0")]
    [InlineData("heads", "5")]
    [InlineData("heads", "+1")]
    [InlineData("interrupts", "msi")]
    [InlineData("guest_blobs", "ON")]
    [InlineData("qmp", "vm1.qmp")]
    [InlineData("qmp", "/run/a,server=off")]
    [InlineData("qmp", "/run/it's")]
    public void What_can_not_be_is_refused_in_one_line_that_says_what_can(string name, string value)
    {
        var refusal = Assert.Throws<BusException>(() => Setting.Find(name)!.Canonical(value, s_type));
        Assert.Equal(BusError.Invalid, refusal.Error);
        Assert.StartsWith($"{name} of virtio-gpu-64m can't be '{value}': it is ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_or_many_lined_value_is_one_short_line_in_the_message()
    {
        var refusal = Assert.Throws<BusException>(() => Setting.Heads.Canonical("1\n\e[31m" + new string('x', 1_000_000), s_type));
        Assert.InRange(refusal.Message.Length, 1, 200);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
    }

    [Fact]
    public void Each_setting_s_own_default_can_be_set()
    {
        Assert.All(Setting.All, setting => Assert.Equal(setting.Default(s_renders), setting.Canonical(setting.Default(s_renders), s_renders)));
        Assert.Equal(["67108864", "1", "1024x768", "intx", "off", "", "best_effort", "1", "0"], Setting.All.Select(setting => setting.Default(s_renders)));
        Assert.Equal(["memory_limit", "heads", "mode", "interrupts", "guest_blobs", "qmp"], Setting.Of(s_type).Select(setting => setting.Name));
    }

    [Theory]
    [InlineData("policy", " fixed_share", "fixed_share")]
    [InlineData("policy", "equal_share", "equal_share")]
    [InlineData("weight", "016", "16")]
    [InlineData("fps_limit", "1000", "1000")]
    public void A_share_of_the_GPU_is_for_types_that_render(string name, string value, string canonical)
    {
        Assert.Equal(canonical, Setting.Find(name)!.Canonical(value, s_renders));
        var refusal = Assert.Throws<BusException>(() => Setting.Find(name)!.Canonical(value, s_type));
        Assert.Equal((BusError.Invalid, $"virtio-gpu-64m has no {name}: that is for types whose guests render on the host's GPU"), (refusal.Error, refusal.Message));
    }

    [Theory]
    [InlineData("policy", "fixed")]
    [InlineData("policy", "")]
    [InlineData("weight", "0")]
    [InlineData("weight", "17")]
    [InlineData("weight", "-1")]
    [InlineData("fps_limit", "1001")]
    [InlineData("fps_limit", "59.94")]
    public void No_other_share_is_taken(string name, string value)
    {
        var refusal = Assert.Throws<BusException>(() => Setting.Find(name)!.Canonical(value, s_renders));
        Assert.StartsWith($"{name} of renders can't be '{value}': it is ", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("-rf")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("ä")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    [InlineData("9a1c2b3d-0000-4000-8000-000000000000")]
    [InlineData("9a1c2b3d000040008000000000000000")]
    public void A_name_is_a_plain_one(string name)
    {
        using var rig = new Rig();
        rig.Refused(BusError.Invalid, () => rig.Create(name));
        rig.Create("desk");
        rig.Refused(BusError.Invalid, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["name"] = name }));
        Assert.Equal(["desk"], rig.Names());
    }

    [Fact]
    public void Parents_types_settings_and_UUIDs_that_are_not_are_named_with_those_that_are()
    {
        using var rig = new Rig();
        Assert.Equal("there is no parent 'gpu7': there are gpu0", rig.Refused(BusError.NotFound, () => rig.Bus.Create(new CreateRequest { Parent = "gpu7", Type = "small" })).Message);
        Assert.Equal("gpu0 has no type 'huge': it has large, small", rig.Refused(BusError.NotFound, () => rig.Create(type: "huge")).Message);
        Assert.Equal("there is no setting 'colour': there are memory_limit, heads, mode, interrupts, guest_blobs, qmp, policy, weight, fps_limit", rig.Refused(BusError.Invalid, () => rig.Create(settings: ("colour", "red"))).Message);
        rig.Refused(BusError.Invalid, () => rig.Create(uuid: Guid.Empty));
        rig.Refused(BusError.Invalid, () => rig.Create(after: "a/b"));
        rig.Refused(BusError.Invalid, () => rig.Create(after: string.Join(',', Enumerable.Repeat("a", 65))));
        rig.Create("desk");
        rig.Refused(BusError.Invalid, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["heads"] = "2", ["colour"] = "red" }));
        rig.Refused(BusError.Invalid, () => rig.Bus.Set("desk", new Dictionary<string, string?> { ["auto"] = "maybe" }));
        rig.Refused(BusError.NotFound, () => rig.Bus.Find("DESK"));
        Assert.Equal("1", rig.Bus.Find("desk").Settings["heads"]);
    }

    [Theory]
    [InlineData("root:root", 0u, 0u)]
    [InlineData("root", 0u, 0u)]
    [InlineData("12345:root", 12345u, 0u)]
    [InlineData("12345:54321", 12345u, 54321u)]
    public void An_owner_is_a_user_and_a_group_by_name_or_number(string text, uint uid, uint gid)
    {
        Assert.Equal(new InstanceOwner(uid, gid), OwnerName.Parse(text));
        Assert.Equal($"{uid}:{gid}", OwnerName.Format(OwnerName.Parse(text)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("root:")]
    [InlineData(":root")]
    [InlineData("a:b:c")]
    [InlineData("nobody-here:root")]
    [InlineData("root:nobody-here")]
    [InlineData("4294967295:0")]
    [InlineData("-1:0")]
    [InlineData("54321987")]
    public void What_names_nobody_is_no_owner(string text) =>
        Assert.Equal(BusError.Invalid, Assert.Throws<BusException>(() => OwnerName.Parse(text)).Error);

    [Fact]
    public void A_parent_of_software_has_half_of_the_host_s_memory_unless_told()
    {
        Parent parent = Parent.Software([]);
        string line = File.ReadLines("/proc/meminfo").First();
        ulong total = ulong.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
        Assert.Equal(("software0", total / 2, 1024UL), (parent.Name, parent.Budgets["memory"], parent.Budgets["instances"]));
        Assert.Equal(5UL, Parent.Software([], memory: 5).Budgets["memory"]);
        Assert.Throws<ArgumentException>(() => new Parent("a/b", "x", "x", new Dictionary<string, ulong>(), []));
        Assert.Throws<ArgumentException>(() => new Parent("a", "x", "x", new Dictionary<string, ulong> { ["watts"] = 1 }, []));
    }
}
