using System.Diagnostics;
using Vgpu.Qemu;

namespace Vgpu.Cli.Tests;

/// <summary>What libvirt's calls of the hook do to the vGPUs of a machine; the vGPUs are a list here, the calls are those that libvirt 9 was seen to make.</summary>
public sealed class LibvirtHookTests : IDisposable
{
    private const string Desk = "6f1f2b6e-7a54-4c1f-9e3d-0d6f6a4a7f11";

    private readonly Folder _folder = new();
    private readonly ListedVgpus _vgpus = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_domain_s_vgpu_is_made_for_qemu_s_user_and_goes_with_the_domain()
    {
        Call("start", Domain());

        Assert.Equal($"desk of virtio-gpu-256m on software0 for 64055:107 with mode=1920x1080", Assert.Single(_vgpus.Made));
        Assert.True(_vgpus[Desk].Runs);

        Call("release", Domain());

        Assert.Empty(_vgpus.Names);
        Assert.Empty(Directory.EnumerateFiles(_folder["run"]));
    }

    [Fact]
    public void A_defined_vgpu_is_started_and_stopped_and_stays()
    {
        _vgpus.Define(Desk, runs: false);

        Call("start", Domain(type: false));
        Assert.Equal("64055:107", _vgpus[Desk].Owner);
        Call("release", Domain(type: false));

        Assert.False(_vgpus[Desk].Runs);
        Assert.Empty(_vgpus.Made);
    }

    [Fact]
    public void A_vgpu_that_ran_before_runs_on()
    {
        _vgpus.Define(Desk, runs: true, owner: "64055:107");

        Call("start", Domain());
        Call("release", Domain());

        Assert.True(_vgpus[Desk].Runs);
    }

    // libvirt calls release after a start that the hook refused.
    [Fact]
    public void A_refused_start_leaves_another_domain_s_vgpu_alone()
    {
        const string Other = "00000000-0000-4000-8000-00000000000a";
        Call("start", Domain());
        string line = Refuse("start", Domain(uuid: Other));
        Call("release", Domain(uuid: Other));

        Assert.StartsWith("the vGPU 'desk' is that of the domain e8dd3b0c-6850-43ab-9a55-a6cb9d65b760;", line, StringComparison.Ordinal);
        Assert.True(_vgpus[Desk].Runs);

        Call("release", Domain());
        Call("start", Domain(uuid: Other));

        Assert.True(_vgpus[Desk].Runs);
    }

    [Fact]
    public void A_domain_whose_end_nobody_saw_starts_again()
    {
        Call("start", Domain());
        Call("start", Domain());

        Assert.Equal(2, _vgpus.Made.Count);
        Call("release", Domain());
        Assert.Empty(_vgpus.Names);
    }

    [Fact]
    public void One_that_fails_takes_those_before_it_back()
    {
        _vgpus.Refusal = "no type 'x' on software0; 'vgpu types' lists them";
        string two = Domain().Replace("</vgpu:vgpus>", "<vgpu:vgpu name='second' parent='software0' type='x'/></vgpu:vgpus>", StringComparison.Ordinal);

        Assert.Equal("no type 'x' on software0; 'vgpu types' lists them", Refuse("start", two));
        Assert.Empty(_vgpus.Names);
    }

    [Fact]
    public void What_would_show_nothing_or_lose_state_is_refused_in_one_line()
    {
        Assert.StartsWith("the domain's memory is not shared", Refuse("start", Domain().Replace("'shared'", "'private'", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith($"the vGPU 'desk' listens at /run/{Desk}, where no device of the domain looks for it", Refuse("start", Domain().Replace($"/run/{Desk}", "/run/other", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("no vGPU 'desk' is defined", Refuse("start", Domain(type: false)), StringComparison.Ordinal);
        Assert.StartsWith("the domain 'guest' has a vGPU, whose state QEMU can't move", Refuse("migrate", Domain()), StringComparison.Ordinal);
        Assert.StartsWith("the state that was saved of the domain 'guest' has nothing of its vGPU", Refuse("restore", Domain()), StringComparison.Ordinal);
        _vgpus.Define(Desk, runs: true, client: 4711);
        Assert.StartsWith("the vGPU 'desk' is in use by process 4711", Refuse("start", Domain()), StringComparison.Ordinal);
        _vgpus.Define(Desk, runs: true, owner: "0:0");
        Assert.StartsWith("the vGPU 'desk' runs and is not 64055:107's", Refuse("start", Domain()), StringComparison.Ordinal);
        Assert.True(_vgpus[Desk].Runs);
    }

    // A hook that fails at reconnect makes libvirt kill the domain.
    [Theory]
    [InlineData("reconnect")]
    [InlineData("prepare")]
    [InlineData("started")]
    [InlineData("stopped")]
    [InlineData("attach")]
    [InlineData("what-comes")]
    public void Other_calls_are_nothing_whatever_they_say(string operation)
    {
        Call(operation, "no XML");

        Assert.Empty(_vgpus.Names);
    }

    [Fact]
    public void Domains_without_a_vgpu_are_let_be()
    {
        foreach (string operation in (string[])["start", "release", "migrate", "restore"])
        {
            Call(operation, "<domain type='kvm'><name>guest</name><uuid>e8dd3b0c-6850-43ab-9a55-a6cb9d65b760</uuid></domain>");
        }

        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Theory]
    [InlineData("guest reconnect begin -", "<vgpu xmlns='urn:vgpu:libvirt:1'/>", "")]
    [InlineData("guest start begin -", "<domain/>", "")]
    [InlineData("guest start begin -", "<vgpu xmlns='urn:vgpu:libvirt:1'/>", "libvirt-hook guest start begin -\n<vgpu xmlns='urn:vgpu:libvirt:1'/>\n")]
    [InlineData("guest release end -", "<vgpu xmlns='urn:vgpu:libvirt:1'/>", "libvirt-hook guest release end -\n<vgpu xmlns='urn:vgpu:libvirt:1'/>\n")]
    public void The_script_runs_vgpu_for_domains_with_a_vgpu_alone(string arguments, string domain, string seen)
    {
        File.WriteAllText(_folder["vgpu"], $"#!/bin/sh\n{{ echo \"$@\"; cat; }} >'{_folder["seen"]}'\n");
        File.SetUnixFileMode(_folder["vgpu"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(_folder["seen"], string.Empty);

        Assert.Equal((0, string.Empty), RunScript(_folder["vgpu"], arguments, domain));
        Assert.Equal(seen, File.ReadAllText(_folder["seen"]));
    }

    [Fact]
    public void The_script_says_where_vgpu_is_missing() =>
        Assert.Equal((1, "vgpu: the program '/no/vgpu' is not in libvirt's PATH; install it there, or name it in "), RunScript("/no/vgpu", "guest start begin -", "<vgpu xmlns='urn:vgpu:libvirt:1'/>"));

    private static (int Status, string Errors) RunScript(string vgpu, string arguments, string domain)
    {
        string script = Path.Combine(Home(), "dist", "libvirt", "hooks", "qemu.d", "vgpu");
        var start = new ProcessStartInfo(script, arguments.Split(' ')) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["VGPU"] = vgpu;
        using Process process = Process.Start(start)!;
        try
        {
            process.StandardInput.Write(domain);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ends without reading, where it has no part in the call.
        }

        // What it writes to standard output, libvirt takes for another domain.
        Assert.Empty(process.StandardOutput.ReadToEnd());
        string errors = process.StandardError.ReadToEnd().Replace(script + "\n", string.Empty, StringComparison.Ordinal);
        process.WaitForExit();
        return (process.ExitCode, errors);
    }

    private static string Home()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "vgpu.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no vgpu.slnx above the tests");
        }

        return folder.FullName;
    }

    private static string Domain(string uuid = "e8dd3b0c-6850-43ab-9a55-a6cb9d65b760", bool type = true) => $$"""
        <domain type='kvm' id='1' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
          <name>guest</name>
          <uuid>{{uuid}}</uuid>
          <metadata>
            <vgpu:vgpus xmlns:vgpu='urn:vgpu:libvirt:1'>
              <vgpu:vgpu name='desk' uuid='{{Desk}}'{{(type ? " parent='software0' type='virtio-gpu-256m'" : "")}}><vgpu:setting name='mode' value='1920x1080'/></vgpu:vgpu>
            </vgpu:vgpus>
          </metadata>
          <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
          <seclabel type='dynamic' model='apparmor' relabel='yes'><label>libvirt-{{uuid}}</label></seclabel>
          <seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+107</label><imagelabel>+64055:+107</imagelabel></seclabel>
          <qemu:commandline>
            <qemu:arg value='-device'/>
            <qemu:arg value='{"driver":"vfio-user-pci","socket":{"path":"/run/{{Desk}}","type":"unix"},"bus":"pcie.0","addr":"0x10"}'/>
          </qemu:commandline>
        </domain>
        """;

    private void Call(string operation, string domain) => new LibvirtHook(_vgpus, _folder["run"]).Run("guest", operation, new StringReader(domain));

    private string Refuse(string operation, string domain)
    {
        string line = Assert.ThrowsAny<IOException>(() => Call(operation, domain)).Message;
        Assert.DoesNotContain('\n', line);
        return line;
    }

    /// <summary>vGPUs by UUID, each listening at /run/UUID while it runs.</summary>
    private sealed class ListedVgpus : ILibvirtVgpus
    {
        private readonly Dictionary<string, HookedVgpu> _vgpus = [];
        private readonly HashSet<string> _transient = [];

        internal List<string> Made { get; } = [];

        internal string? Refusal { get; set; }

        internal IEnumerable<string> Names => _vgpus.Keys;

        internal HookedVgpu this[string key] => _vgpus[key];

        public HookedVgpu? Find(string nameOrUuid) => _vgpus.GetValueOrDefault(nameOrUuid);

        public HookedVgpu Make(LibvirtVgpu vgpu, string? owner)
        {
            if (vgpu.Type == "x")
            {
                throw new IOException(Refusal);
            }

            string key = vgpu.Uuid?.ToString() ?? vgpu.Name;
            Made.Add($"{vgpu.Name} of {vgpu.Type} on {vgpu.Parent} for {owner} with {string.Join(' ', vgpu.Settings.Select(setting => $"{setting.Key}={setting.Value}"))}");
            _transient.Add(key);
            return Define(key, runs: true, owner: owner);
        }

        public HookedVgpu Start(string nameOrUuid, string? owner) => Define(nameOrUuid, runs: true, owner: owner);

        public void Stop(string nameOrUuid)
        {
            if (_transient.Remove(nameOrUuid))
            {
                _vgpus.Remove(nameOrUuid);
            }
            else if (_vgpus.ContainsKey(nameOrUuid))
            {
                Define(nameOrUuid, runs: false);
            }
        }

        internal HookedVgpu Define(string key, bool runs, string? owner = null, int? client = null) =>
            _vgpus[key] = new HookedVgpu { Runs = runs, Owner = owner, ClientPid = client, SocketPath = runs ? $"/run/{key}" : null };
    }
}
