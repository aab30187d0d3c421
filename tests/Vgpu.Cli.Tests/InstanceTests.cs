using System.Text.Json;
using Vgpu.Api;
using Vgpu.Bus;

namespace Vgpu.Cli.Tests;

/// <summary>The commands that ask a daemon: what they print, as tables and as JSON, and what they change.</summary>
public sealed class InstanceTests : IDisposable
{
    private const string Uuid = "11111111-2222-3333-4444-555555555555";

    private readonly FakeDaemon _daemon = new();

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public void Types_are_a_table_and_JSON()
    {
        _ = _daemon.Make("desk");

        Assert.Equal(
            """
            PARENT     DRIVER    USED                                 DESCRIPTION
            software0  software  memory 256M of 1G, instances 1 of 16  The software GPU

            TYPE             PARENT     AVAILABLE  MEMORY  HEADS  LARGEST    DESCRIPTION
            virtio-gpu-256m  software0  3          256M    1      1920x1200  256 MiB
            bochs-16m        software0  48         16M     1      1920x1200  16 MiB

            """.Replace("USED                                 D", "USED                                  D", StringComparison.Ordinal),
            _daemon.Run("types").AssertDone());
        Assert.Equal(48, Json("types", "--json")[0].GetProperty("types")[1].GetProperty("available_instances").GetInt32());
    }

    [Fact]
    public void Instances_are_a_table_and_JSON()
    {
        Assert.Equal("NAME  TYPE  PARENT  STATE  CLIENT  MEMORY  MODE  UUID\n", _daemon.Run("list").AssertDone());
        _ = _daemon.Make("desk");
        _daemon.Bus.Attach("desk", 99);

        Assert.Equal(
            $"""
            NAME  TYPE             PARENT     STATE    CLIENT  MEMORY    MODE         UUID
            desk  virtio-gpu-256m  software0  running  99      12M/256M  1920x1080,-  {Uuid}

            """,
            _daemon.Run("list").AssertDone());
        Assert.Equal("desk", Json("list", "--json")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("desk")]
    [InlineData(Uuid)]
    public void One_is_shown_whole(string name)
    {
        _ = _daemon.Make("desk");

        Assert.Equal(
            $"""
            name          desk
            uuid          {Uuid}
            parent        software0
            type          virtio-gpu-256m
            state         running
            auto          no
            persistent    yes
            owner         the daemon's user
            memory        12M/256M
            mode          1920x1080,-
            socket        {_daemon["run"]}/{Uuid}/vfio.sock
            screen        {_daemon["run"]}/{Uuid}/screen.sock
            worker        4242
            requests      77
            successions   1

            """,
            _daemon.Run("show", name).AssertDone());
        Assert.Equal(("desk", 4242), (Json("show", name, "--json").GetProperty("name").GetString(), Json("show", name, "--json").GetProperty("worker").GetProperty("pid").GetInt32()));
    }

    [Fact]
    public void View_says_where_and_show_keeps_the_secrets()
    {
        _ = _daemon.Make("desk");
        _daemon.Run("view", "desk").AssertOneLine(1, "nobody shows desk");
        _daemon.Viewers = new ViewerAddresses { Web = "http://127.0.0.1:6080/?token=secret#desk", Vnc = "127.0.0.1:5900", VncPassword = "secret", VncSocket = "/run/desk.vnc" };

        Assert.Equal(
            """
            browser  http://127.0.0.1:6080/?token=secret#desk
            vnc      127.0.0.1:5900  password secret
            vnc      /run/desk.vnc

            """,
            _daemon.Run("view", "desk").AssertDone());
        Assert.Equal("secret", Json("view", "desk", "--json").GetProperty("vnc_password").GetString());
        _daemon.Run("view", "--view-only", "desk").AssertOneLine(1, "there is no address for you at which one can look and not type");
        string shown = _daemon.Run("show", "desk").AssertDone();
        Assert.Contains("browser       http://127.0.0.1:6080/\nvnc           127.0.0.1:5900\nvnc           /run/desk.vnc\n", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void View_only_says_nothing_that_lets_somebody_type()
    {
        _ = _daemon.Make("desk");
        _daemon.Viewers = new ViewerAddresses
        {
            Web = "http://127.0.0.1:6080/#token=secret",
            WebViewOnly = "http://127.0.0.1:6080/#token=look",
            Vnc = "127.0.0.1:5900",
            VncPassword = "secret",
            VncViewOnlyPassword = "look",
            VncSocket = "/run/desk.vnc",
            Spice = "spice://127.0.0.1:7000",
            SpicePassword = "secret",
            SpiceSocket = "spice+unix:///run/desk.spice",
        };

        Assert.Equal(
            """
            browser  http://127.0.0.1:6080/#token=look
            vnc      127.0.0.1:5900  password look

            """,
            _daemon.Run("view", "--view-only", "desk").AssertDone());
        Assert.Equal(
            """{"web":"http://127.0.0.1:6080/#token=look","vnc":"127.0.0.1:5900","vnc_password":"look"}""" + "\n",
            _daemon.Run("view", "desk", "--view-only", "--json").AssertDone());
        Assert.DoesNotContain("look", _daemon.Run("view", "desk").AssertDone(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_create_is_told_arrives()
    {
        string line = _daemon.Run(
            "create", "software0", "virtio-gpu-256m", "--uuid", Uuid, "--name", "desk", "--auto", "--transient", "--owner", "root:7", "--set", "memory_limit=512M",
            "--set", "mode=800x600", "--no-start", "--after", "db", "--after", "web").AssertDone();

        Assert.Equal($"desk ({Uuid}) stopped\n", line);
        InstanceDefinition made = _daemon.Bus.Find("desk").Definition;
        Assert.Equal((true, false, new InstanceOwner(0, 7)), (made.Auto, made.Persistent, made.Owner));
        Assert.Equal(["db", "web"], made.After);
        Assert.Equal([KeyValuePair.Create("memory_limit", "536870912"), KeyValuePair.Create("mode", "800x600")], made.Settings);
    }

    [Fact]
    public void What_create_is_not_told_is_left_to_the_daemon()
    {
        JsonElement made = Json("create", "software0", "bochs-16m", "--json");

        Assert.Equal(("bochs-16m-1", "running", false, true), (made.GetProperty("name").GetString(), made.GetProperty("state").GetString(), made.GetProperty("auto").GetBoolean(), made.GetProperty("persistent").GetBoolean()));
        Assert.Matches(@"^bochs-16m-2 \([-0-9a-f]{36}\) running at /.*/vfio.sock\n$", _daemon.Run("create", "software0", "bochs-16m").AssertDone());
    }

    [Fact]
    public void Settings_are_changed_and_taken_back()
    {
        _ = _daemon.Make("desk");

        Assert.Equal($"table ({Uuid}) running at {_daemon["run"]}/{Uuid}/vfio.sock\n", _daemon.Run("set", "desk", "memory_limit=1G", "mode=800x600", "name=table", "owner=root:7").AssertDone());
        Assert.Equal("memory_limit=1073741824 mode=800x600", string.Join(' ', _daemon.Bus.Find("table").Definition.Settings.Select(setting => $"{setting.Key}={setting.Value}")));
        Assert.Equal(new InstanceOwner(0, 7), _daemon.Bus.Find("table").Definition.Owner);
        Assert.Equal("""{"memory_limit":"1073741824"}""", Json("set", "table", "mode=", "--json").GetProperty("settings").GetRawText());
        _daemon.Run("set", "table", "colour=red").AssertOneLine(1, "there is no setting 'colour'");
        _daemon.Run("set", "table", "mode").AssertOneLine(2, "'mode' is no setting; write KEY=VALUE");
        _daemon.Run("set", "table", "mode=a", "mode=b").AssertOneLine(2, "'mode' is there twice");
        _daemon.Run("set", "table").AssertOneLine(2, "'vgpu set --help' shows how");
    }

    [Fact]
    public void An_instance_goes_through_its_life()
    {
        _ = _daemon.Make("desk");

        Assert.Equal("desk stopped\n", _daemon.Run("stop", "desk").AssertDone());
        Assert.Equal($"desk ({Uuid}) running at {_daemon["run"]}/{Uuid}/vfio.sock\n", _daemon.Run("start", "desk").AssertDone());
        Assert.Equal(2, Json("upgrade", "desk", "--json").GetProperty("worker").GetProperty("successions").GetInt32());
        Assert.Equal("""{"stopped":"desk"}""", Json("stop", "desk", "--json").GetRawText());
        _daemon.Run("upgrade", "desk").AssertOneLine(1, "desk does not run; start it first");
        Assert.Equal("running", Json("start", "desk", "--json").GetProperty("state").GetString());
        _daemon.Bus.Attach("desk", 99);
        _daemon.Run("remove", "desk").AssertOneLine(1, "has a client, process 99; detach it, or remove with --force");
        Assert.Equal("desk removed\n", _daemon.Run("remove", "desk", "--force").AssertDone());
        _daemon.Run("show", "desk").AssertOneLine(1, "there is no instance 'desk'; 'vgpu list' shows those there are");
        _ = _daemon.Make("desk");
        Assert.Equal("""{"removed":"desk"}""", Json("remove", "desk", "--json").GetRawText());
    }

    [Fact]
    public void Events_are_listed_and_followed()
    {
        _ = _daemon.Make("desk");

        Assert.Matches(@"^     1  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  created          desk  it happened\n     2  [^\n]*  started          desk  it happened\n$", _daemon.Run("events").AssertDone());
        Assert.StartsWith("""{"number":2,""", _daemon.Run("events", "--after", "1", "--json").AssertDone(), StringComparison.Ordinal);
        using var follower = Cli.Start(["events", "--follow", "--after", "1", "--json", "--socket", _daemon.Socket]);
        Assert.Contains("\"kind\":\"started\"", follower.StandardOutput.ReadLine(), StringComparison.Ordinal);
        _daemon.Bus.Stop("desk");
        Assert.Contains("\"kind\":\"stopped\"", follower.StandardOutput.ReadLine(), StringComparison.Ordinal);
        _daemon.End();

        Cli.End(follower).AssertOneLine(1, "the daemon has ended; follow again once it runs");
    }

    [Fact]
    public void What_the_daemon_says_can_t_drive_the_terminal()
    {
        _daemon.Bus.Raise("fault", detail: "\u001b[2Jcleared\nnext");

        Assert.EndsWith("-  ?[2Jcleared?next\n", _daemon.Run("events").AssertDone(), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_are_one_line()
    {
        _daemon.Run("create", "software0", "none").AssertOneLine(1, "there is no type 'none' on software0; 'vgpu types' lists them");
        _daemon.Run("create", "software0", "bochs-16m", "--owner", "no-such-user").AssertOneLine(2, "there is no user 'no-such-user'");
        _daemon.Run("create", "software0", "bochs-16m", "--owner", "12345678").AssertOneLine(2, "says no group");
        _daemon.Run("create", "software0", "bochs-16m", "--owner", "0:no-such-group").AssertOneLine(2, "there is no group 'no-such-group'");
        _daemon.Run("create", "software0", "bochs-16m", "--uuid", "desk").AssertOneLine(2, "desk");
        _daemon.Run("create", "software0", "bochs-16m", "--set", "mode=").AssertOneLine(2, "'mode=' says no value");
        _daemon.Run("events", "--after", "-1").AssertOneLine(2, "--after is the number of an event");
        Assert.Empty(_daemon.Bus.Instances());
    }

    private JsonElement Json(params string[] words)
    {
        string output = _daemon.Run(words).AssertDone();
        Assert.Equal(output.Length - 1, output.IndexOf('\n', StringComparison.Ordinal));
        return JsonDocument.Parse(output).RootElement;
    }
}
